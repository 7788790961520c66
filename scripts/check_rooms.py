#!/usr/bin/env python3
"""Finds #include lines that reach into a room which their own room does not link.

The whole tree is the include path of every room, so the compiler does not look. A room may include
itself, what it links, and what comes with that publicly. A face (an INTERFACE library) is the one
header of its name.
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEYWORDS = ("SOURCES", "PUBLIC", "PRIVATE", "INTERFACE")


def sections(words):
    found = collections.defaultdict(list)
    keyword = ""
    for word in words:
        keyword = word if word in KEYWORDS else keyword
        found[keyword].append(re.sub("^agentd(::|_)", "", word))
    return found


def read_targets():
    """By name: where it is, and what it links for itself and for those who link it."""
    place, links, public = {}, collections.defaultdict(set), collections.defaultdict(set)
    for path in [path for top in ("common", "daemon", "sdk") for path in ROOT.glob(f"{top}/**/CMakeLists.txt")]:
        folder = path.parent.relative_to(ROOT)
        for command, body in re.findall(r"(\w+)\(([^)]*)\)", re.sub("#.*", "", path.read_text())):
            given = sections(body.split())
            name = given[""][0] if given[""] else ""
            if command == "agentd_room":
                place[name] = (folder / given["SOURCES"][1]).parent
            elif command == "add_library" and "INTERFACE" in given:
                place[name] = folder / f"{name}.hpp"
            elif command == "add_executable":
                place[name] = folder
            links[name].update(given["PUBLIC"], given["PRIVATE"], given["INTERFACE"])
            public[name].update(given["PUBLIC"], given["INTERFACE"])
    return place, links, public


def main():
    place, links, public = read_targets()
    allowed = collections.defaultdict(set)
    for name, folder in place.items():
        reached, left = set(), {name, *links[name]}
        while left:
            reached.add(link := left.pop())
            left |= public[link] - reached
        allowed[folder] |= {place[link] for link in reached if link in place}
    files = [file for folder in allowed for file in sorted((ROOT / folder).glob("*.[ch]pp"))]
    faults = 0
    for file in files:
        folder = file.parent.relative_to(ROOT)
        for number, line in enumerate(file.read_text().splitlines(), 1):
            header = re.match('#include "((?:common|daemon|sdk)/.*)"', line)
            if header and not allowed[folder] & {pathlib.Path(header[1]), pathlib.Path(header[1]).parent}:
                print(f"{file.relative_to(ROOT)}:{number}: {folder} does not link the room of {header[1]}")
                faults += 1
    print(f"rooms: {len(files)} files")
    return faults > 0


sys.exit(main())
