"""Nodes that know each other."""

from support.node import Case, wait_for
from support.values import FOREVER, kinds, seconds


def furnish(node):
    """Gives a node the agents that the tests use."""
    node.create("echo", "echo")
    node.create("sleeper", "slow", args=FOREVER)
    node.create("sleeper", "soon", args={"seconds": 0.4})
    node.create("transcript", "transcript", args={"name": "T"})


class Peers(Case):
    """A test with some nodes."""

    def network(self, count, **options):
        nodes = [self.node(**options) for _ in range(count)]
        for node in nodes:
            furnish(node)
        return nodes

    def assert_failed(self, node, call, *expected, wait_ms=45000):
        """Asserts the call has failed with such kinds, cause after cause; answers the error."""
        got = node.outcome(call, wait_ms=wait_ms)
        self.assertEqual(got["state"], "failed", got)
        self.assertEqual(kinds(got["error"]), list(expected), got)
        return got["error"]

    def seconds(self, node, call):
        return seconds(node.outcome(call)["timing"])

    def awaited(self, a, b):
        """A call that runs on `a`, and one on `b` that waits for it, and b is known to be connected to a."""
        first = a.call("slow")
        call = b.call("echo", first["placeholder"])["call"]
        a.wait_state(first["call"], "running")
        wait_for(lambda: a.metrics()["agentd_websockets"] >= 1, "b's connection to a")
        return first["call"], call
