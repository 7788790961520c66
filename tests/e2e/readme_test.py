"""The sessions that the documents show, word by word, on the two nodes that they start."""

import os
import re
import shutil
import subprocess
import unittest

from support.namespace import inside, run_inside
from support.node import LIMIT, Case, main

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def session(document):
    """The commands of a document's console blocks, each with what it prints there."""
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        blocks = re.findall(r"^```console\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    return [command.partition("\n")[::2] for block in blocks for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


def masked(printed):
    """Without what differs from run to run: times, and ids that a node has minted, which keep their order."""
    minted = {}
    printed = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "TIME", printed)
    return re.sub(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b", lambda id: minted.setdefault(id[0], f"MINTED-{len(minted) + 1}"), printed)


def pattern(shown):
    """What matches the masked output; `…` stands for anything, as it does for the reader."""
    return ".*".join(re.escape(part) for part in masked(shown).split("…"))


class Documents(Case):
    def test_the_sessions_of_the_documents(self):
        """Runs the class below where its ports are free."""
        for tool in ("bash", "curl", "jq"):
            if not shutil.which(tool):
                self.skipTest(f"needs {tool}")
        run_inside(self, __file__, "Sessions", ["link set lo up"])


@unittest.skipUnless(inside(), "runs within the test above")
class Sessions(Case):
    def setUp(self):
        self.a, self.b = (self.node("--config", os.path.join(ROOT, f"configs/two-nodes/{name}.json"), port=None) for name in "ab")

    def follow(self, document):
        steps = session(document)
        self.assertTrue(steps, f"{document} shows no session")
        for command, shown in steps:
            ran = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=LIMIT, cwd=ROOT, check=False)
            self.assertRegex(masked(ran.stdout.rstrip("\n")), rf"\A{pattern(shown.rstrip())}\Z", f"$ {command}\n{ran.stderr}")

    def test_the_readme(self):
        self.follow("README.md")

    def test_the_protocol(self):
        self.a.create("echo", "a")
        self.b.create("echo", "b")
        self.a.call("a", "tides", call="draft-number-0001")
        self.follow("docs/protocol.md")


if __name__ == "__main__":
    main()
