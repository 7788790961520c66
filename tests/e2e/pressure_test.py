"""Much at once, and long ways: what is legal but unkind."""

import collections
import socket
import unittest

from support.node import Case, RpcError, main, wait_for
from support.peers import furnish
from support.raw_http import RawHttp
from support.raw_http import request as http_request
from support.values import BUSY, FOREVER, causes, kinds, placeholder, reference
from support.websocket import Session, new_call

MIB = 1 << 20
MIB_ALMOST = MIB - 2000  # what an outcome may have beside its envelope


def notification(agent, call, input=None, **params):
    return {"jsonrpc": "2.0", "method": "agent.call", "params": {"agent": agent, "call": call, "input": input, **params}}


def request(id, method, **params):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def ids(count):
    mark = new_call()
    return [f"{mark}-{n:06}" for n in range(count)]


class Pressure(Case):
    def setUp(self):
        self.n = self.node()
        furnish(self.n)
        self.n.create("echo", "other")
        self.ws = self.session()

    def session(self, node=None, **options):
        session = Session(node or self.n, **options)
        self.addCleanup(session.close)
        return session

    def send(self, messages, at_once=3000):
        for start in range(0, len(messages), at_once):
            self.ws.send(messages[start:start + at_once])

    def settled(self, count, session=None):
        """The next `count` call.settled by their calls."""
        session = session or self.ws
        settled = {}
        while len(settled) < count:
            if not session.inbox:
                session.pump()
            message = session.inbox.popleft()
            if message.get("method") == "call.settled":
                settled[message["params"]["call"]] = message["params"]
        return settled

    def chain(self, first, calls, **params):
        """Each call waits for the one before, each of another caller, over two agents in turn."""
        for n, (call, before) in enumerate(zip(calls, [first, *calls])):
            yield notification(("echo", "other")[n % 2], call, placeholder(self.n, before), caller=f"c{n}", settled="state", **params)


class Chains(Pressure):
    def test_a_chain_of_18_000_calls_fails_as_one(self):
        first, calls = self.n.call("slow")["call"], ids(18_000)
        self.send(list(self.chain(first, calls)))
        self.ws.sync()
        self.n.rpc("call.cancel", call=first)
        for call in (calls[0], calls[9000], calls[-1]):
            chain = causes(self.n.outcome(call)["error"])
            self.assertEqual((chain[-1]["data"]["kind"], chain[-1]["data"]["call"]), ("cancelled", first))
            self.assertLessEqual(len(chain), 25)
        self.assertEqual(self.n.rpc("node.info")["calls"], {"pending": 0, "running": 0, "settled": 18_001})

    def test_a_chain_of_18_000_calls_runs_to_its_end(self):
        first, calls = new_call(), ids(18_000)
        self.send(list(self.chain(first, calls)))
        self.ws.sync()
        self.n.call("echo", {"content": ["passed on"]}, call=first)
        self.assertEqual(self.n.outcome(calls[-1])["value"]["content"], ["passed on"])

    def test_a_chain_behind_itself_in_one_lane_runs_or_fails_in_order(self):
        first, calls = self.n.call("soon", "x")["call"], ids(5000)
        self.send([notification("transcript", call, placeholder(self.n, before)) for call, before in zip(calls, [first, *calls])])
        settled = self.settled(5000)
        self.assertEqual([settled[call]["value"]["content"]["n"] for call in calls], list(range(1, 5001)))

    def test_looking_for_circles_in_what_branches_much_takes_no_time(self):
        layer = [self.n.call("slow")["call"]] * 2
        for n in range(60):
            above = ids(2)
            self.ws.send([notification("echo", call, [placeholder(self.n, below) for below in layer], caller=call) for call in above])
            layer = above
        self.ws.sync()
        awaited = new_call()
        self.n.call("other", placeholder(self.n, awaited))
        self.ws.notify("agent.call", agent="echo", call=awaited, input=[placeholder(self.n, below) for below in layer])
        self.ws.sync()
        self.assertEqual(self.n.state_of(awaited), "waiting")

    def test_9_000_calls_that_wait_for_one_settle_with_it(self):
        first, calls = self.n.call("slow")["call"], ids(9000)
        self.send([notification("echo", call, placeholder(self.n, first), caller=call) for call in calls])
        self.ws.sync()
        self.n.rpc("call.cancel", call=first)
        self.assertEqual({kinds(one["error"])[-1] for one in self.settled(9000).values()}, {"cancelled"})

    def test_a_call_may_be_nested_deeply_here_and_elsewhere_alike(self):
        other = self.node()
        for nodes in ((self.n, self.n), (self.n, other)):
            before = reference(self.n, "echo")
            for n in range(70):
                node, name = nodes[n % 2], f"deep-{n}-{nodes[1].port}"
                node.create("forwarder", name, args={"to": before})
                before = reference(node, name)
            self.assertEqual(node.ask(name, "hi"), "hi")


class Floods(Pressure):
    def assert_still_lean(self, before, by=64 * MIB):
        self.assert_no_fatter(self.n.memory(), before, by)

    def test_a_mailbox_holds_10_000_and_deadlines_end_them_all(self):
        before, calls = self.n.memory(), ids(10_100)
        running = self.n.call("slow")["call"]
        self.n.wait_state(running, "running")
        self.send([notification("slow", call, 1, deadline_ms=8000) for call in calls])
        settled = self.settled(10_100)
        counted = collections.Counter(kinds(settled[call]["error"])[0] for call in calls)
        self.assertEqual(sum(counted.values()), 10_100)
        self.assertEqual(counted, {"deadline_exceeded": 10_000, "overloaded": 100}, "10,000 behind the one that runs")
        self.assertEqual(kinds(settled[calls[-1]]["error"]), ["overloaded"])
        self.assert_still_lean(before)

    def test_calls_of_ever_new_callers_leave_nothing_behind(self):
        before = self.n.memory()
        for _ in range(20):
            calls = ids(5000)
            self.ws.send([notification("echo", call, 1, caller=call, settled="state") for call in calls])
            self.settled(5000)
            self.assertEqual(self.ws.rpc("call.release", calls=calls), {"released": 5000})
        self.assert_still_lean(before)

    def test_refused_notifications_cost_bounded_memory(self):
        before = self.n.memory()
        for _ in range(20):
            self.ws.send([notification("nobody", call) for call in ids(5000)])
            self.settled(5000)
        self.assert_still_lean(before)

    def test_a_hundred_who_ask_for_a_busy_agents_state_are_told_that_it_is_busy(self):
        self.n.create("burner", "burner", args=BUSY)
        call = self.n.call("burner")["call"]
        self.n.wait_state(call, "running")
        asked = [self.ws.request("agent.get", agent="burner") for _ in range(100)]
        for id in asked:
            got = self.ws.answer(id)
            self.assertIs(got["busy"], True)
            self.assertIsNone(got["state"])
        self.assertEqual(self.n.rpc("agent.get", agent="burner")["mailbox"], 0)
        self.assertEqual(self.n.rpc("call.cancel", call=call)["state"], "cancelled")
        wait_for(lambda: "busy" not in self.n.rpc("agent.get", agent="burner"), "an idle agent")

    def test_waiting_for_ids_that_nobody_has_is_bounded(self):
        before = self.n.memory()
        for round_ in range(8):
            self.ws.rpc("call.subscribe", calls=ids(20_000), grace_ms=600_000)
            if round_ >= 2:
                said = {kinds(notice["error"])[0]: notice["error"]["data"].get("limit") for notice in self.settled(20_000).values()}
                # Those that were waited for first may have waited long enough by now.
                self.assertLessEqual(said.items(), {"overloaded": "connection_expected", "call_not_found": None}.items())
        self.assert_still_lean(before, 96 * MIB)

    def test_waiting_for_ids_that_nobody_has_ends_with_the_connection(self):
        node = self.node(config={"limits": {"expected": 40}})
        greedy = [self.session(node) for _ in range(4)]
        for session in greedy:
            session.rpc("call.subscribe", calls=ids(11), grace_ms=60_000)
            (refused,) = self.settled(1, session).values()
            self.assertEqual(refused["error"]["data"]["limit"], "expected" if session is greedy[-1] else "connection_expected")
        other = self.session(node)
        self.assertEqual(self.says_of_an_unknown_id(other)["limit"], "expected")
        for session in greedy:
            session.close()
        wait_for(lambda: self.says_of_an_unknown_id(other)["kind"] == "call_not_found", "room for an id that nobody has")

    def says_of_an_unknown_id(self, session):
        call = new_call()
        session.rpc("call.subscribe", calls=[call], grace_ms=1)
        return session.settled(call)["error"]["data"]

    def test_requests_that_wait_are_bounded_and_end_with_their_connection(self):
        running = self.n.call("slow")["call"]
        before = self.n.memory()
        for _ in range(3):
            sessions = [self.session() for _ in range(4)]
            for session in sessions:
                for _ in range(30):
                    session.send([request(f"w{n}", "call.get", call=running, wait_ms=10**9) for n in range(1000)])
                # Behind all of them, whichever loop they are for.
                session.rpc("call.get", call=running)
                limits = {answer["error"]["data"]["limit"] for answer in session.inbox}
                self.assertEqual(limits, {"waits" if session is sessions[-1] else "connection_waits"})
            error = self.assert_error("overloaded", -32013, self.n.rpc, "call.get", call=running, wait_ms=1)
            self.assertEqual(error.data["limit"], "waits")
            for session in sessions:
                session.close()
            wait_for(lambda: self.n.metrics()["agentd_websockets"] == 1, "the end of the connections")
            self.assertEqual(self.n.rpc("call.get", call=running, wait_ms=1)["state"], "running")
        self.assert_still_lean(before)
        self.assertEqual(self.n.rpc("call.cancel", call=running)["state"], "cancelled")

    def test_a_small_request_that_asks_for_gigabytes_fails_and_takes_no_memory(self):
        source = self.n.call("echo", "x" * MIB_ALMOST, wait_ms=45000)["call"]
        before = self.n.memory()
        many = [placeholder(self.n, source)] * 4000
        for input in (many, {"content": many}):
            for agent in ("echo", "transcript"):
                error = self.assert_error("invalid_params", -32602, self.n.ask, agent, input)
                self.assertEqual((error.data["limit"], error.data["retryable"]), ("input", False))
        self.assert_still_lean(before)

    def test_a_join_may_be_larger_than_what_may_be_sent(self):
        source = self.n.call("echo", "x" * MIB_ALMOST, wait_ms=45000)["call"]
        self.assertEqual(self.n.ask("transcript", [placeholder(self.n, source)] * 8)["n"], 1)

    def test_placeholders_to_5000_nodes_that_are_not_there_keep_nobody_from_a_real_one(self):
        other = self.node()
        furnish(other)
        source = other.call("echo", "real")["placeholder"]
        dead = [{"$placeholder": {"host": f"127.9.{n // 250}.{n % 250}", "port": 1, "call": new_call()}} for n in range(5000)]
        self.send([notification("echo", call, input, caller=call) for call, input in zip(ids(5000), dead)], at_once=500)
        # Behind all of them, whichever loop they are for.
        self.ws.rpc("agent.get", agent="echo")
        self.assertEqual(self.n.ask("echo", source), "real")
        failed = collections.Counter(kinds(one["error"])[-1] for one in self.settled(5000).values())
        self.assertEqual(failed["peer_unreachable"] + failed["overloaded"], 5000, failed)

    def test_large_values_each_have_a_frame_of_their_own(self):
        session, calls = self.session(headers={"Agentd-Batch": "1"}), ids(40)
        for call in calls:
            session.notify("agent.call", agent="echo", call=call, input="x" * 200_000)
        sizes = []
        while len(session.inbox) < 40:
            text = session.receive()
            sizes.append(len(text))
            session.inbox.extend([1] * text.count("call.settled"))
        self.assertLess(max(sizes), 300_000)

    def test_what_a_hundred_clients_do_at_once_comes_out_right(self):
        self.n.create("counter", "sum")
        sessions = [self.session() for _ in range(100)]
        for session in sessions:
            session.send([notification("sum", call, 1, settled="state") for call in ids(50)])
        for session in sessions:
            done = 0
            while done < 50:
                if not session.inbox:
                    session.pump()
                done += session.inbox.popleft()["params"]["state"] == "done"
        self.assertEqual(self.n.ask("sum", 0), 5000)

    def test_a_client_that_has_said_all_it_has_to_say_is_answered(self):
        body = b'{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"soon","input":"x","wait_ms":45000}}'
        with RawHttp(self.n) as raw:
            raw.send(http_request(self.n, body=body) + http_request(self.n, "GET", "/healthz"))
            raw.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(raw.statuses(), [200, 200])


if __name__ == "__main__":
    main()
