"""What a sanitizer changes about a program under test."""

import functools
import glob
import os


@functools.cache
def sanitized(program):
    """Whether the program is built with one. Its memory and its open files then tell nothing of its own."""
    with open(program, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def sanitizer_reports(pid):
    """What the sanitizers of that process have reported, where they do not write to standard error."""
    folder = os.environ.get("AGENTD_REPORTS")
    said = ""
    for path in glob.glob(f"{glob.escape(folder)}/*.{pid}") if folder else ():
        with open(path, encoding="utf-8", errors="replace") as report:
            said += report.read()
    return said
