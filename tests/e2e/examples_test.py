"""The examples do what their headers say, end by themselves, and leave no process behind.

    examples_test.py AGENTD BIN_DIR PLUGIN_DIR SOURCE_DIR
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from support.node import Node, main
from support.strange import server, upgrade

BIN, PLUGINS, SOURCES = sys.argv[2:5]
del sys.argv[2:5]
TALK = 'Ann: 1\nBen: 2\nAnn: 3\nBen: 4\nAnn: 5\nBen: 6\nAnn: "exit"\n'


def run(example, *arguments):
    done = subprocess.run([f"{BIN}/{example}", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{example} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def servers_of(example):
    """Processes that run this example still."""
    found = subprocess.run(["pgrep", "-f", f"^{re.escape(BIN)}/{example}( |$)"], capture_output=True, text=True)
    return found.stdout.split()


class Examples(unittest.TestCase):
    def test_the_conversation_is_the_same_here_and_in_launched_servers(self):
        self.assertEqual(run("conversation", "local"), TALK)
        self.assertEqual(run("conversation", "launched"), TALK)
        self.assertEqual(servers_of("conversation"), [])

    def test_the_conversation_is_the_same_on_a_running_server(self):
        serving = subprocess.Popen([f"{BIN}/conversation", "serve", "0"], stdout=subprocess.PIPE, text=True)
        try:
            port = serving.stdout.readline().split()[-1]
            self.assertEqual(run("conversation", f"127.0.0.1:{port}"), TALK)
        finally:
            serving.terminate()
            self.assertEqual(serving.wait(timeout=20), 0)
            serving.stdout.close()

    def test_a_server_that_lets_a_program_in_and_then_breaks_is_unreachable(self):
        def breaks(connection):
            upgrade(connection)
            connection.recv(4096)

        port = server(self, breaks)
        done = subprocess.run([f"{BIN}/conversation", f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"127.0.0.1:{port}", done.stderr)
        self.assertIn("connection was lost", done.stderr)

    def test_agents_that_call_agents(self):
        self.assertEqual(run("nested"), "plain words on tides; ornate words on tides\n")
        self.assertEqual(servers_of("nested"), [])

    def test_a_hundred_mappers_count_and_one_reducer_adds_up(self):
        counted = dict(line.split(": ") for line in run("map_reduce").splitlines())
        self.assertEqual(counted, {"and": "100", "comes": "100", "goes": "100", "in": "100", "out": "100",
                                   "the": "200", "tide": "200"})
        self.assertEqual(servers_of("map_reduce"), [])

    def test_a_million_agents_are_made_called_and_deleted_here_somewhat_fewer(self):
        node = Node()
        try:
            done = subprocess.run([f"{BIN}/million", "--port", str(node.port), "--count", "3000", "--seconds", "0.1"],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (0, "read the answers of 3000 agents\n"), done.stderr)
            self.assertEqual([line.split()[0] for line in done.stderr.splitlines()],
                             ["created", "called", "answered", "deleted"])
            self.assertEqual(node.rpc("node.info")["agents"], 0)
            self.assertIn("agentd_calls_done_total 3000\n", node.get("/metrics").body.decode())
        finally:
            self.assertEqual(node.end(), 0)

    def test_a_node_without_room_for_a_million_agents_says_so(self):
        node = Node(config={"limits": {"agents": 100}})
        try:
            done = subprocess.run([f"{BIN}/million", "--port", str(node.port)], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn("limits.agents", done.stderr)
            self.assertEqual(node.rpc("node.info")["agents"], 0)
        finally:
            self.assertEqual(node.end(), 0)

    def test_a_million_agents_of_which_a_call_fails_are_deleted(self):
        node = Node(config={"limits": {"calls": 10}})
        try:
            done = subprocess.run([f"{BIN}/million", "--port", str(node.port), "--count", "100"],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(node.rpc("node.info")["agents"], 0)
        finally:
            self.assertEqual(node.end(), 0)

    def test_a_flag_that_a_million_does_not_have_is_refused(self):
        for arguments in (["--cuont", "1"], ["--count"], ["--count", "x"], ["--port", "99999"]):
            done = subprocess.run([f"{BIN}/million", *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn(arguments[0], done.stderr)

    def check_graph(self, drawn):
        self.assertIn('F was given ["D","E"]', drawn)
        times = {name: (float(start), float(end))
                 for name, start, end in re.findall(r"^  ([A-F]) \|.*\| ([\d.]+) s to ([\d.]+) s", drawn, re.M)}
        self.assertEqual(sorted(times), list("ABCDEF"))
        for before, after in ["AB", "AC", "BD", "CD", "DF", "EF"]:
            self.assertLessEqual(times[before][1], times[after][0] + 0.011, f"{after} began before {before} had ended")
        for one, other in ["BC", "AE"]:
            self.assertLess(max(times[one][0], times[other][0]), min(times[one][1], times[other][1]),
                            f"{one} and {other} did not overlap")

    def test_the_graph_runs_what_is_independent_at_once_in_launched_servers(self):
        self.check_graph(run("graph"))
        self.assertEqual(servers_of("graph"), [])

    def test_the_graph_runs_over_two_nodes_with_a_plugin(self):
        # A daemon loads no plugin that others could replace, and a clone may be writable by its user's group.
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        plugin = shutil.copy(f"{PLUGINS}/stage_plugin.so", directory.name)
        os.chmod(plugin, 0o644)
        nodes = []
        try:
            for _ in range(2):
                nodes.append(Node("--plugin", plugin))
            self.check_graph(run("graph", *(node.address for node in nodes)))
        finally:
            codes = [node.end() for node in nodes]
        self.assertEqual(codes, [0, 0])

    def test_each_example_is_under_a_hundred_lines(self):
        for source in pathlib.Path(SOURCES).rglob("*.?pp"):
            self.assertLess(len(source.read_text().splitlines()), 100, source)


if __name__ == "__main__":
    main()
