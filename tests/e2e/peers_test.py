"""Nodes among themselves: values that travel straight, and agents that call agents elsewhere."""

import hashlib
import json
import signal

from support.node import Node, RpcError, main, wait_for
from support.peers import Peers, furnish
from support.values import FOREVER, OVERDUE, causes, kinds, placeholder, reference
from support.websocket import Session, new_call


class ThreeNodes(Peers):
    @classmethod
    def setUpClass(cls):
        cls.nodes = [Node() for _ in range(3)]
        for node in cls.nodes:
            furnish(node)

    @classmethod
    def tearDownClass(cls):
        for node in cls.nodes:
            node.kill()

    def setUp(self):
        self.a, self.b, self.c = self.nodes


class Values(ThreeNodes):
    def test_a_placeholder_of_one_node_is_an_input_on_another(self):
        for first in (self.a.call("soon", {"content": {"x": [1]}}), self.a.call("echo", {"content": {"x": [1]}}, wait_ms=45000)):
            self.assertEqual(self.b.ask("echo", first["placeholder"]), {"x": [1]})
            self.assertEqual(self.b.ask("echo", [first["placeholder"], 2]), [{"x": [1]}, 2])
            self.assertEqual(self.b.ask("echo", {"content": {"in": first["placeholder"]}}), {"in": {"x": [1]}})

    def test_a_chain_goes_over_three_nodes(self):
        one = self.a.call("soon", "start")
        two = self.b.call("echo", {"content": {"b": one["placeholder"]}})
        three = self.c.call("echo", {"content": {"c": two["placeholder"]}})
        self.assertEqual(self.a.ask("echo", {"content": {"a": three["placeholder"]}}), {"a": {"c": {"b": "start"}}})

    def test_a_join_takes_inputs_of_all_nodes(self):
        parts = [node.call("soon", n)["placeholder"] for n, node in enumerate(self.nodes)]
        for node in self.nodes:
            self.assertEqual(node.ask("echo", parts), [0, 1, 2])

    def test_content_passes_between_nodes_unchanged(self):
        text = '{"big":123456789012345678901234567890,"e":1e400,"f":0.1000,"s":"\\u0041\\ud83d\\ude00","u":"\u00e9\U0001f600","d":1,"d":2}'
        body = '{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"echo","input":{"content":%s}}}'
        first = self.a.post(body % text).json["result"]["placeholder"]
        body = body.replace('"agent":"echo"', '"agent":"echo","wait_ms":45000')
        self.assertIn(f'"content":{text}', self.b.post(body % json.dumps(first)).body.decode())

    def test_what_an_agent_answered_elsewhere_is_not_scanned(self):
        data = {"$placeholder": {"host": "127.0.0.1", "port": 1, "call": new_call()}}
        first = self.a.call("echo", {"content": {"$literal": data}})
        self.assertEqual(self.b.ask("echo", [first["placeholder"]]), [data])

    def test_a_value_travels_straight_and_once_and_the_orchestrator_never_sees_it(self):
        size = 900_000
        a, b, c = self.network(3)
        received = [node.metrics() for node in (a, b, c)]
        first = a.call("echo", "x" * size)
        second = b.call("echo", first["placeholder"])
        third = c.call("transcript", second["placeholder"])
        digest = hashlib.sha256(json.dumps("x" * size).encode()).hexdigest()
        self.assertEqual(c.outcome(third["call"])["value"]["content"]["digest"], digest)
        now = [node.metrics() for node in (a, b, c)]

        def grown(n, name):
            return now[n][name] - received[n][name]

        self.assertLess(grown(0, "agentd_peer_received_bytes_total"), 10_000)
        for n in (1, 2):
            self.assertGreater(grown(n, "agentd_peer_received_bytes_total"), size)
            self.assertLess(grown(n, "agentd_peer_received_bytes_total"), size + 10_000)
        for n in (0, 1):
            self.assertLess(grown(n, "agentd_sent_bytes_total"), size + 20_000, "to the next node, and not to us")
        self.assertLess(grown(2, "agentd_sent_bytes_total"), 20_000)

    def test_many_placeholders_of_a_node_come_over_one_connection(self):
        a, b = self.network(2)
        calls, dependents = ([new_call() for _ in range(300)] for _ in range(2))
        with Session(a) as at_a, Session(b) as at_b:
            at_b.send([self.notification(call, placeholder(a, first)) for call, first in zip(dependents, calls)])
            at_a.send([self.notification(call, n) for n, call in enumerate(calls)])
            self.assertEqual([at_b.settled(call)["value"]["content"] for call in dependents], list(range(300)))
        self.assertEqual(b.metrics()["agentd_peer_links"], 1)
        wait_for(lambda: a.metrics()["agentd_websockets"] == 1, "one connection to a, b's")

    def test_values_that_a_busy_connection_leaves_out_are_fetched(self):
        size, count = 300_000, 20
        a = self.node(config={"limits": {"write_queue": 2 << 20}})
        b = self.node()
        for node in (a, b):
            furnish(node)
        firsts = [a.call("echo", str(n) + "x" * size, wait_ms=45000) for n in range(count)]
        calls = [new_call() for _ in firsts]
        with Session(b) as session:
            session.send([self.notification(call, first["placeholder"], settled="state") for call, first in zip(calls, firsts)])
            self.assertEqual([session.settled(call)["state"] for call in calls], ["done"] * count)
        for n, call in enumerate(calls):
            self.assertEqual(b.outcome(call)["value"]["content"], str(n) + "x" * size)

    @staticmethod
    def notification(call, input, **params):
        return {"jsonrpc": "2.0", "method": "agent.call", "params": {"agent": "echo", "call": call, "input": input, **params}}

    def test_a_placeholder_to_itself_needs_no_connection(self):
        first = self.a.call("soon", "me")
        for host in ("127.0.0.1", "localhost"):
            self.assertEqual(self.a.ask("echo", placeholder(self.a, first["call"], host=host)), "me")

    def test_a_dependent_call_may_come_before_the_call_that_it_needs(self):
        first = new_call()
        call = self.b.call("echo", placeholder(self.a, first))["call"]
        behind = self.c.call("echo", placeholder(self.b, call))["call"]
        self.assertEqual(self.b.state_of(call), "waiting")
        self.a.call("echo", "late", call=first)
        self.assertEqual(self.c.outcome(behind)["value"]["content"], "late")

    def test_an_input_that_never_comes_fails_the_call_by_its_deadline(self):
        call = self.b.call("echo", placeholder(self.a, new_call()), deadline_ms=1500)["call"]
        got = self.b.outcome(call)
        self.assertEqual(got["state"], "failed")
        self.assertLessEqual(self.seconds(self.b, call), 1.5 + OVERDUE)

    def test_an_input_that_never_comes_is_call_not_found_after_the_grace(self):
        calls = [node.call("echo", placeholder(self.a, new_call()))["call"] for node in (self.a, self.b)]
        for node, call in zip((self.a, self.b), calls):
            error = self.assert_failed(node, call, "input_failed", "call_not_found")
            self.assertEqual(causes(error)[-1]["data"]["node"], self.a.address)
            self.assertLess(self.seconds(node, call), 10 + 5)

    def test_a_failure_carries_its_chain_over_all_nodes(self):
        self.a.create("failer", "failer")
        one = self.a.call("failer", "root")
        two = self.b.call("echo", one["placeholder"])
        three = self.c.call("echo", two["placeholder"])["call"]
        error = self.assert_failed(self.c, three, "input_failed", "input_failed", "agent_failed")
        self.assertEqual([one["data"]["node"] for one in causes(error)], [self.c.address, self.b.address, self.a.address])
        self.assertEqual((causes(error)[-1]["message"], causes(error)[-1]["data"]["agent"]), ("root", "failer"))

    def test_a_cancelled_call_fails_its_dependents_elsewhere(self):
        first, call = self.awaited(self.a, self.b)
        self.a.rpc("call.cancel", call=first)
        self.assert_failed(self.b, call, "input_failed", "cancelled")

    def test_cancelling_a_dependent_leaves_its_input_alone(self):
        first, call = self.awaited(self.a, self.b)
        self.b.rpc("call.cancel", call=call)
        self.assertEqual(self.a.state_of(first), "running")
        self.a.rpc("call.cancel", call=first)

    def test_a_circle_over_nodes_ends_by_the_deadline(self):
        one, other = new_call(), new_call()
        self.a.call("echo", placeholder(self.b, other), call=one, deadline_ms=1500)
        self.b.call("echo", placeholder(self.a, one), call=other, deadline_ms=1500)
        for node, call in ((self.a, one), (self.b, other)):
            self.assertEqual(node.outcome(call)["state"], "failed")
            self.assertLessEqual(self.seconds(node, call), 1.5 + OVERDUE)


class NestedCalls(ThreeNodes):
    """Agents that call agents of other nodes."""

    def test_a_forwarder_answers_what_an_agent_elsewhere_answers(self):
        self.b.create("counter", "counter")
        self.a.create("forwarder", "to-counter", args={"to": reference(self.b, "counter")})
        self.assertEqual([self.a.ask("to-counter", n) for n in (5, 6, {"content": 7})], [5, 11, 18])
        self.assertEqual(self.a.ask("to-counter", self.c.call("soon", 2)["placeholder"]), 20)

    def test_its_calls_keep_their_order(self):
        self.b.create("transcript", "ordered", args={"name": "T"})
        self.a.create("forwarder", "to-ordered", args={"to": reference(self.b, "ordered")})
        calls = [self.a.call("to-ordered", n, caller="c")["call"] for n in range(30)]
        self.assertEqual([self.a.outcome(call)["value"]["content"]["n"] for call in calls], list(range(1, 31)))

    def test_answers_that_a_slow_reader_was_not_sent_are_fetched(self):
        size, count = 300_000, 40
        a = self.node(config={"limits": {"write_queue": 2 << 20}})
        b = self.node()
        for n in range(count):
            a.create("sleeper", f"s{n}", args={"seconds": 3})
            b.create("forwarder", f"f{n}", args={"to": reference(a, f"s{n}")})
        calls = [b.call(f"f{n}", str(n) + "x" * size)["call"] for n in range(count)]
        wait_for(lambda: a.metrics()["agentd_calls_accepted_total"] == count, "all calls to have come to a")
        b.send_signal(signal.SIGSTOP)
        try:
            wait_for(lambda: a.metrics()["agentd_calls_done_total"] == count, "all calls to have settled")
        finally:
            b.send_signal(signal.SIGCONT)
        for n, call in enumerate(calls):
            self.assertEqual(b.outcome(call)["value"]["content"], str(n) + "x" * size)

    def test_a_failure_elsewhere_is_the_cause(self):
        self.b.create("failer", "no")
        self.a.create("forwarder", "to-no", args={"to": reference(self.b, "no")})
        self.a.create("forwarder", "to-nobody", args={"to": reference(self.b, "nobody")})
        error = self.assert_failed(self.a, self.a.call("to-no", "bad")["call"], "agent_failed", "agent_failed")
        self.assertEqual((causes(error)[1]["message"], causes(error)[1]["data"]["node"]), ("bad", self.b.address))
        self.assert_failed(self.a, self.a.call("to-nobody", "x")["call"], "agent_failed", "agent_not_found")

    def test_forwarders_in_a_circle_over_nodes_fail_by_their_path(self):
        names = ["f0", "f1", "f2"]
        for n, node in enumerate(self.nodes):
            node.create("forwarder", names[n], args={"to": reference(self.nodes[(n + 1) % 3], names[(n + 1) % 3])})
        with self.assertRaises(RpcError) as raised:
            self.a.ask("f0", 1)
        chain = causes(raised.exception.error)
        self.assertEqual(kinds(chain[0]), ["agent_failed"] * 3 + ["cycle"])
        self.assertEqual(chain[-1]["data"]["path"][:3], [f"{node.address}/{name}" for node, name in zip(self.nodes, names)])

    def test_a_nested_call_gets_what_is_left_of_the_deadline(self):
        self.b.create("sleeper", "endless", args=FOREVER)
        self.a.create("forwarder", "to-endless", args={"to": reference(self.b, "endless")})
        call = self.a.call("to-endless", 1, deadline_ms=1000)["call"]
        wait_for(lambda: self.b.rpc("call.list", agent="endless", state="running")["calls"], "the nested call")
        self.assertEqual(self.a.outcome(call)["state"], "failed")
        self.assertLessEqual(self.seconds(self.a, call), 1 + OVERDUE)
        wait_for(lambda: not self.b.rpc("call.list", agent="endless", state="running")["calls"], "its end", limit=OVERDUE)

    def test_a_cancelled_call_does_not_leave_its_nested_call_running(self):
        self.b.create("sleeper", "endless2", args=FOREVER)
        self.a.create("forwarder", "to-endless2", args={"to": reference(self.b, "endless2")})
        call = self.a.call("to-endless2", 1)["call"]
        wait_for(lambda: self.b.rpc("call.list", agent="endless2", state="running")["calls"], "the nested call")
        self.a.rpc("call.cancel", call=call)
        wait_for(lambda: not self.b.rpc("call.list", agent="endless2", state="running")["calls"], "its end")


if __name__ == "__main__":
    main()
