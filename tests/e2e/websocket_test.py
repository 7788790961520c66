"""JSON-RPC over WebSocket: the fast way, subscriptions, batches, refusals, and clients without manners."""

import json
import socket
import struct
import time

from support.node import RpcError, SharedNode, curl, main, wait_for
from support.values import FOREVER, placeholder
from support.websocket import BINARY, CLOSE, PING, PONG, TEXT, Closed, Refused, Session, WebSocket, new_call

def request(id, method, **params):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def notification(method, **params):
    return {"jsonrpc": "2.0", "method": method, "params": params}


class WithSession(SharedNode):
    """One node for all; every test has a connection `ws` and makes agents of its own."""

    made = 0

    def setUp(self):
        self.n = self.shared
        self.ws = self.session()

    def session(self, node=None, **options):
        session = Session(node or self.n, **options)
        self.addCleanup(session.close)
        return session

    def raw(self, node=None, **options):
        connection = WebSocket(node or self.n, **options)
        self.addCleanup(connection.close)
        return connection

    def make(self, type, **members):
        WithSession.made += 1
        return self.n.create(type, f"a{WithSession.made}", **members)

    def slow(self):
        """A call that stays running until somebody cancels it."""
        call = self.n.call(self.make("sleeper", args=FOREVER), "slow")["call"]
        self.addCleanup(self.n.rpc, "call.cancel", call=call)
        self.n.wait_state(call, "running")
        return call

    def assert_failed(self, settled, kind):
        self.assertEqual(settled["state"], "failed", settled)
        self.assertEqual(settled["error"]["data"]["kind"], kind, settled)
        self.assertNotIn("value", settled)


class FastWay(WithSession):
    def test_a_call_that_is_a_notification_brings_call_settled_and_nothing_else(self):
        agent, call = self.make("echo", name="E"), new_call()
        self.ws.notify("agent.call", agent=agent, call=call, input="hi")
        settled = self.ws.settled(call)
        self.assertEqual(set(settled), {"call", "state", "value"})
        self.assertEqual((settled["state"], settled["value"]["content"]), ("done", "hi"))
        self.assertEqual((settled["value"]["name"], settled["value"]["role"]), ("E", "assistant"))
        self.ws.sync()
        self.assertEqual(list(self.ws.inbox), [])

    def test_call_settled_comes_once_and_after_the_answer(self):
        agent = self.make("echo")
        for params in ({}, {"wait_ms": 9000}, {"wait_ms": 0}):
            id = self.ws.request("agent.call", agent=agent, input=1, **params)
            first = self.ws.take(lambda message: True, "a message")
            self.assertEqual(first.get("id"), id, "the answer comes first")
            call = first["result"]["call"]
            self.assertEqual(self.ws.settled(call)["value"]["content"], 1)
            self.ws.sync()
            self.assertEqual(self.ws.settled_so_far(call), 0)

    def test_call_settled_comes_after_the_answer_of_a_call_that_waits(self):
        agent = self.make("sleeper", args={"seconds": 0.2})
        id = self.ws.request("agent.call", agent=agent, input=1, wait_ms=9000)
        first = self.ws.take(lambda message: True, "a message")
        self.assertEqual((first.get("id"), first["result"]["value"]["content"]), (id, 1))
        self.assertEqual(self.ws.settled(first["result"]["call"])["state"], "done")

    def test_a_failed_call_that_is_waited_for_is_an_error_and_settles_too(self):
        agent, call = self.make("failer"), new_call()
        self.assert_error("agent_failed", -32016, self.ws.rpc, "agent.call", agent=agent, input="no", call=call, wait_ms=9000)
        self.assert_failed(self.ws.settled(call), "agent_failed")

    def test_a_notification_without_an_id_gets_one(self):
        agent = self.make("echo")
        self.ws.notify("agent.call", agent=agent, input="x")
        settled = self.ws.take(lambda message: message.get("method") == "call.settled", "call.settled")["params"]
        self.assertEqual(settled["value"]["content"], "x")
        self.assertEqual(self.n.state_of(settled["call"]), "done")

    def test_a_call_that_is_sent_again_over_the_connection_settles_there_once(self):
        agent, call = self.make("sleeper", args={"seconds": 0.3}), new_call()
        for _ in range(3):
            self.ws.notify("agent.call", agent=agent, call=call, input=1)
        self.ws.rpc("call.subscribe", calls=[call])
        self.ws.settled(call)
        self.ws.sync()
        self.assertEqual(self.ws.settled_so_far(call), 0)

    def test_each_connection_is_told_of_its_own_calls_only(self):
        agent, call, other = self.make("echo"), new_call(), self.session()
        self.ws.notify("agent.call", agent=agent, call=call, input=1)
        self.ws.settled(call)
        other.sync()
        self.assertEqual(list(other.inbox), [])

    def test_two_connections_with_the_same_call_are_both_told(self):
        agent, call, other = self.make("sleeper", args={"seconds": 0.2}), new_call(), self.session()
        for session in (self.ws, other):
            session.notify("agent.call", agent=agent, call=call, input=1)
        for session in (self.ws, other):
            self.assertEqual(session.settled(call)["value"]["content"], 1)
        later = self.session()
        later.notify("agent.call", agent=agent, call=call, input=1)
        self.assertEqual(later.settled(call)["value"]["content"], 1, "settled already: at once")

    def test_a_chain_of_calls_leaves_in_one_go_and_settles(self):
        agent = self.make("echo")
        calls = [new_call() for _ in range(50)]
        batch = [notification("agent.call", agent=agent, call=calls[0], input={"content": ["x"]})]
        batch += [notification("agent.call", agent=agent, call=call, input=placeholder(self.n, before))
                  for before, call in zip(calls, calls[1:])]
        self.ws.send(batch)
        self.assertEqual([self.ws.settled(call)["value"]["content"] for call in calls], [["x"]] * 50)

    def test_a_cancelled_call_settles_as_cancelled(self):
        call = self.ws.rpc("agent.call", agent=self.make("sleeper", args=FOREVER))["call"]
        self.assertEqual(self.ws.rpc("call.cancel", call=call)["state"], "cancelled")
        settled = self.ws.settled(call)
        self.assertEqual((settled["state"], settled["error"]["data"]["kind"]), ("cancelled", "cancelled"))

    def test_release_may_be_a_notification(self):
        agent, call = self.make("echo"), new_call()
        self.ws.notify("agent.call", agent=agent, call=call, input=1)
        self.ws.settled(call)
        self.ws.notify("call.release", calls=[call])
        self.ws.sync()
        self.assert_error("call_not_found", -32012, self.n.rpc, "call.get", call=call)

    def test_who_is_subscribed_at_the_release_still_gets_the_outcome(self):
        agent, call, other = self.make("sleeper", args={"seconds": 0.3}), new_call(), self.session()
        self.ws.notify("agent.call", agent=agent, call=call, input="kept")
        self.ws.sync()
        other.rpc("call.subscribe", calls=[call])
        self.assertEqual(self.ws.rpc("call.release", calls=[call]), {"released": 1})
        self.assertEqual(other.settled(call)["value"]["content"], "kept")
        self.assertEqual(self.ws.settled(call)["value"]["content"], "kept")


class Subscribing(WithSession):
    def test_a_subscriber_is_told_when_the_call_settles(self):
        call = self.n.call(self.make("sleeper", args={"seconds": 0.3}), "x")["call"]
        self.assertEqual(self.ws.rpc("call.subscribe", calls=[call]), {})
        self.assertEqual(self.ws.settled(call)["value"]["content"], "x")

    def test_a_settled_call_is_told_at_once(self):
        done = self.n.call(self.make("echo"), "x", wait_ms=9000)["call"]
        failed = new_call()
        with self.assertRaises(RpcError):
            self.n.ask(self.make("failer"), "no", call=failed)
        self.assertEqual(self.ws.rpc("call.subscribe", calls=[done, failed]), {})
        self.assertEqual(self.ws.settled(done)["value"]["content"], "x")
        self.assert_failed(self.ws.settled(failed), "agent_failed")

    def test_an_unknown_call_settles_as_call_not_found(self):
        call, released = new_call(), self.n.call(self.make("echo"), "x", wait_ms=9000)["call"]
        self.n.rpc("call.release", calls=[released])
        self.assertEqual(self.ws.rpc("call.subscribe", calls=[call, released]), {})
        for id in (call, released):
            self.assert_failed(self.ws.settled(id), "call_not_found")

    def test_an_unknown_call_is_waited_for_as_long_as_its_grace_and_no_longer(self):
        call = new_call()
        self.ws.rpc("call.subscribe", calls=[call], grace_ms=300)
        began = time.monotonic()
        self.assert_failed(self.ws.settled(call), "call_not_found")
        self.assertGreater(time.monotonic() - began, 0.2)

    def test_a_call_that_comes_within_the_grace_settles(self):
        agent, call = self.make("echo"), new_call()
        self.ws.rpc("call.subscribe", calls=[call], grace_ms=10000)
        self.n.call(agent, "late", call=call)
        self.assertEqual(self.ws.settled(call)["value"]["content"], "late")

    def test_a_refusal_settles_who_waits_for_the_id(self):
        call, other = new_call(), self.session()
        self.ws.rpc("call.subscribe", calls=[call], grace_ms=10000)
        other.notify("agent.call", agent="nobody", call=call)
        self.assert_failed(other.settled(call), "agent_not_found")
        self.assert_failed(self.ws.settled(call), "agent_not_found")

    def test_a_refused_notification_is_remembered(self):
        call, other = new_call(), self.session()
        other.notify("agent.call", agent="nobody", call=call)
        other.settled(call)
        self.ws.rpc("call.subscribe", calls=[call], grace_ms=10000)
        self.assert_failed(self.ws.settled(call), "agent_not_found")
        dependent = self.n.call(self.make("echo"), placeholder(self.n, call))["call"]
        error = self.n.outcome(dependent)["error"]
        self.assertEqual((error["data"]["kind"], error["data"]["cause"]["data"]["kind"]), ("input_failed", "agent_not_found"))

    def test_a_refused_notification_settles_the_call_that_waits_for_it(self):
        call = new_call()
        dependent = self.n.call(self.make("echo"), placeholder(self.n, call))["call"]
        self.ws.notify("agent.call", agent="nobody", call=call)
        error = self.n.outcome(dependent)["error"]
        self.assertEqual((error["data"]["kind"], error["data"]["cause"]["data"]["kind"]), ("input_failed", "agent_not_found"))

    def test_wrong_params_subscribe_to_nothing(self):
        for params in ({}, {"calls": "x"}, {"calls": ["short"]}, {"calls": [5]}, {"calls": [], "grace_ms": -1},
                       {"calls": [], "grace": 1}):
            self.assert_error("invalid_params", -32602, self.ws.rpc, "call.subscribe", **params)


class SettledModes(WithSession):
    def settle(self, content, **params):
        agent, call = self.make("echo"), new_call()
        self.ws.notify("agent.call", agent=agent, call=call, input={"content": content}, **params)
        return self.ws.settled(call)

    def test_value_is_the_default_and_sends_any_size(self):
        for params in ({}, {"settled": "value"}):
            for size in (1, 20_000, 900_000):
                self.assertEqual(self.settle("x" * size, **params)["value"]["content"], "x" * size)

    def test_state_leaves_the_value_out(self):
        settled = self.settle("x", settled="state")
        self.assertEqual((set(settled), settled["state"]), ({"call", "state"}, "done"))
        self.assertEqual(self.n.outcome(settled["call"])["value"]["content"], "x")

    def test_auto_leaves_out_what_is_large(self):
        self.assertEqual(self.settle("x" * 4000, settled="auto")["value"]["content"], "x" * 4000)
        settled = self.settle("x" * 9000, settled="auto")
        self.assertEqual((set(settled), settled["state"]), ({"call", "state"}, "done"))
        self.assertEqual(self.ws.rpc("call.get", call=settled["call"])["value"]["content"], "x" * 9000)

    def test_an_error_is_sent_whatever_the_mode(self):
        agent = self.make("failer")
        for mode in ("value", "state", "auto"):
            call = new_call()
            self.ws.notify("agent.call", agent=agent, call=call, input="n" * 10_000, settled=mode)
            self.assert_failed(self.ws.settled(call), "agent_failed")


class Refusals(WithSession):
    def test_a_refused_notification_settles_with_the_refusal(self):
        agent, full = self.make("echo"), self.make("sleeper", args=FOREVER, options={"mailbox": 1})
        self.n.wait_state(self.n.call(full)["call"], "running")
        self.n.call(full)
        for kind, params in (("agent_not_found", {"agent": "nobody"}), ("invalid_params", {"agent": agent, "method": "sing"}),
                             ("invalid_params", {"agent": agent, "wait_mss": 1}), ("invalid_params", {}),
                             ("invalid_params", {"agent": agent, "input": {"$placeholder": 5}}),
                             ("invalid_params", {"agent": agent, "input": {"content": 1, "x": 2}}),
                             ("invalid_params", {"agent": 5}), ("invalid_params", {"agent": agent, "deadline_ms": 0}),
                             ("overloaded", {"agent": full}), ("cycle", {"agent": agent, "path": [f"{self.n.address}/{agent}"]})):
            with self.subTest(params=params):
                call = new_call()
                self.ws.notify("agent.call", call=call, **params)
                settled = self.ws.settled(call)
                self.assert_failed(settled, kind)
                self.ws.sync()
                self.assertEqual(self.ws.settled_so_far(call), 0)

    def test_a_refused_request_is_an_error_answer_and_does_not_settle(self):
        call = new_call()
        self.assert_error("agent_not_found", -32010, self.ws.rpc, "agent.call", agent="nobody", call=call)
        self.ws.sync()
        self.assertEqual(self.ws.settled_so_far(call), 0)

    def test_a_full_mailbox_keeps_the_lane_shut_until_the_refused_id_comes_again(self):
        agent = self.make("sleeper", args={"seconds": 0.2}, options={"mailbox": 2})
        session, calls = self.session(caller="steady"), [new_call() for _ in range(8)]
        for call in calls:
            session.notify("agent.call", agent=agent, call=call, input=call)
        outcomes = {call: session.settled(call) for call in calls}
        done = [call for call in calls if outcomes[call]["state"] == "done"]
        self.assertEqual(done, calls[:len(done)], "what was refused has nothing behind it that ran")
        self.assertLess(len(done), 8)
        refused = calls[len(done)]
        session.notify("agent.call", agent=agent, call=calls[-1], input=calls[-1])
        self.assert_failed(session.settled(calls[-1]), "overloaded")
        session.notify("agent.call", agent=agent, call=refused, input=refused)
        self.assertEqual(session.settled(refused)["state"], "done")

    def test_a_conflict_of_the_same_connection_leaves_the_first_call_its_outcome(self):
        agent, call = self.make("sleeper", args={"seconds": 0.3}), new_call()
        self.ws.notify("agent.call", agent=agent, call=call, input="first")
        self.ws.notify("agent.call", agent=agent, call=call, input="other")
        self.assert_error("conflict", -32018, self.ws.rpc, "agent.call", agent=agent, call=call, input="third")
        self.assertEqual(self.ws.settled(call)["value"]["content"], "first")
        self.ws.sync()
        self.assertEqual(self.ws.settled_so_far(call), 0)
        lines = [line for line in self.n.log().splitlines() if call in line]
        self.assertEqual(len(lines), 1, "the notification, and not the request")
        self.assertIn("used before for another request", lines[0])

    def test_a_flood_of_conflicts_is_counted_and_few_are_logged(self):
        agent, call = self.make("echo"), new_call()
        self.ws.rpc("agent.call", agent=agent, call=call, input="first")
        before = self.n.metrics()["agentd_calls_dropped_total"]
        other = {"jsonrpc": "2.0", "method": "agent.call", "params": {"agent": agent, "call": call, "input": "other"}}
        self.ws.send([other] * 5000)
        self.ws.sync()
        # Perhaps on another loop than the one that has just answered.
        wait_for(lambda: self.n.metrics()["agentd_calls_dropped_total"] == before + 5000, "all to be counted")
        wait_for(lambda: call in self.n.log(), "one to be logged")
        self.assertLess(self.n.log().count(call), 1000)

    def test_a_conflict_with_another_connections_call_settles_here_as_such(self):
        agent, call, other = self.make("sleeper", args={"seconds": 0.3}), new_call(), self.session()
        self.ws.rpc("agent.call", agent=agent, call=call, input="first")
        other.notify("agent.call", agent=agent, call=call, input="other")
        self.assert_failed(other.settled(call), "conflict")
        self.assertEqual(self.ws.settled(call)["value"]["content"], "first")
        self.assert_error("conflict", -32018, other.rpc, "agent.call", agent=agent, call=call, input="third")

    def test_a_draining_node_refuses_notifications_with_shutting_down(self):
        node, call = self.node(), new_call()
        node.create("echo", "e")
        session = self.session(node)
        node.rpc("node.drain")
        session.notify("agent.call", agent="e", call=call)
        self.assert_failed(session.settled(call), "shutting_down")


class Batches(WithSession):
    def test_requests_and_notifications_may_come_in_one_frame(self):
        agent, call = self.make("echo"), new_call()
        self.ws.send([request("a", "node.info"), notification("agent.call", agent=agent, call=call, input=1),
                      request("b", "agent.call", agent=agent, input=2, wait_ms=9000), request("c", "nope"), 5,
                      {"jsonrpc": "2.0", "id": 9, "result": 1}])
        self.assertIn("version", self.ws.answer("a"))
        self.assertEqual(self.ws.answer("b")["value"]["content"], 2)
        self.assert_error("method_not_found", -32601, self.ws.answer, "c")
        self.assert_error("invalid_request", -32600, self.ws.answer, None)
        self.assertEqual(self.ws.settled(call)["value"]["content"], 1)

    def test_an_answer_does_not_wait_for_the_slow_ones_of_its_batch(self):
        agent = self.make("sleeper", args=FOREVER)
        self.ws.send([request("slow", "agent.call", agent=agent, wait_ms=60000), request("quick", "node.info")])
        self.assertIn("version", self.ws.answer("quick"))
        for one in self.n.rpc("call.list", agent=agent)["calls"]:
            self.n.rpc("call.cancel", call=one["call"])
        self.assert_error("cancelled", -32015, self.ws.answer, "slow")

    def test_what_is_ready_together_leaves_together(self):
        agent = self.make("echo")
        calls = [new_call() for _ in range(300)]
        self.ws.send([notification("agent.call", agent=agent, call=call, input=1) for call in calls])
        for call in calls:
            self.ws.settled(call)
        self.assertLess(self.ws.frames, 100)

    def test_an_empty_batch_is_one_invalid_request(self):
        self.ws.send("[]")
        self.assert_error("invalid_request", -32600, self.ws.answer, None)

    def test_bad_json_is_answered_and_the_connection_stays(self):
        for text, kind, code in (("{", "parse_error", -32700), ("", "parse_error", -32700), ("{}", "invalid_request", -32600),
                                 ('[{"jsonrpc"', "parse_error", -32700), ("5", "invalid_request", -32600),
                                 ("[" * 200_000, "parse_error", -32700), ("[" * 200_000 + "]" * 200_000, "parse_error", -32700)):
            self.ws.send(text)
            self.assert_error(kind, code, self.ws.answer, None)
        self.ws.sync()

    def test_stray_responses_and_unknown_notifications_are_ignored(self):
        self.ws.send({"jsonrpc": "2.0", "id": 1, "result": 5})
        self.ws.send({"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "x"}})
        self.ws.notify("nope")
        self.ws.notify("call.settled", call=new_call(), state="done")
        self.ws.sync()
        self.assertEqual(list(self.ws.inbox), [])

    def test_ids_of_each_kind_are_echoed(self):
        for id in ("1", 1, 1.5, "", 2**70):
            self.ws.send(request(id, "node.info"))
            answer = self.ws.take(lambda message: True, "the answer")
            self.assertEqual((type(answer["id"]), answer["id"]), (type(id), id))


class Upgrading(WithSession):
    def test_the_upgrade_tells_the_boot_id(self):
        self.assertEqual(self.ws.headers["agentd-boot"], self.n.rpc("node.info")["boot"])
        self.assertNotEqual(self.node().rpc("node.info")["boot"], self.ws.headers["agentd-boot"])

    def test_an_upgrade_that_is_none_is_refused(self):
        for status, headers in ((426, {"Upgrade": None}), (426, {"Connection": None}), (426, {"Sec-WebSocket-Version": "12"}),
                                (426, {"Upgrade": "h2c"}), (400, {"Sec-WebSocket-Key": "short"}), (400, {"Sec-WebSocket-Key": None}),
                                (403, {"Origin": "http://evil.example"}), (403, {"Host": "evil.example"})):
            with self.subTest(headers=headers):
                with self.assertRaises(Refused) as refused:
                    self.raw(headers=headers)
                self.assertEqual(refused.exception.status, status)
        self.assertEqual(self.n.get("/ws").status, 426)

    def test_a_caller_in_the_url_is_a_caller_id(self):
        for path in ("/ws?caller=", "/ws?caller=a%20b", "/ws?caller=" + "c" * 161, "/ws?caller=%", "/ws?caller=a&caller=b"):
            with self.subTest(path=path):
                with self.assertRaises(Refused) as refused:
                    self.raw(path=path)
                self.assertEqual(refused.exception.status, 400)
        self.raw(path="/ws?caller=a.b-c_d:/%2F9")


class Frames(WithSession):
    def assert_closed(self, connection, *codes):
        self.assertIn(connection.close_code(), codes)
        self.assertIn("version", self.n.rpc("node.info"), "and the node goes on")

    def test_a_binary_frame_is_not_supported(self):
        connection = self.raw()
        connection.send_frame(BINARY, b'{"jsonrpc":"2.0","id":1,"method":"node.info"}')
        self.assert_closed(connection, 1003)

    def test_a_message_over_1_mib_is_too_big(self):
        connection = self.raw()
        connection.send_frame(TEXT, b'"' + b"x" * (1 << 20) + b'"')
        self.assert_closed(connection, 1009)

    def test_a_message_that_says_it_is_huge_is_refused_at_once(self):
        for size in (1 << 40, 1 << 62, (1 << 63) + 5, (1 << 64) - 1):
            connection = self.raw()
            connection.socket.sendall(struct.pack("!BBQ", 0x81, 0x80 | 127, size) + b"mask")
            self.assert_closed(connection, 1009, 1002)

    def test_fragments_that_add_up_over_1_mib_are_too_big(self):
        connection = self.raw()
        connection.send_frame(TEXT, b'"' + b"x" * 500_000, fin=False)
        try:
            for _ in range(3):
                connection.send_frame(0, b"x" * 500_000, fin=False)
        except OSError:
            pass
        self.assert_closed(connection, 1009, None)

    def test_bad_utf_8_is_1007(self):
        for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf8\x88\x80\x80\x80"):
            connection = self.raw()
            connection.send_frame(TEXT, b'{"jsonrpc":"2.0","id":"' + bad + b'","method":"node.info"}')
            self.assert_closed(connection, 1007)

    def test_what_breaks_the_protocol_is_1002(self):
        attacks = {
            "unmasked": lambda c: c.send_frame(TEXT, b"{}", masked=False),
            "reserved bit 1": lambda c: c.send_frame(TEXT, b"{}", flags=0x40),
            "reserved bit 3": lambda c: c.send_frame(TEXT, b"{}", flags=0x10),
            "reserved opcode 3": lambda c: c.send_frame(3, b"{}"),
            "reserved opcode 15": lambda c: c.send_frame(15, b"{}"),
            "fragmented ping": lambda c: c.send_frame(PING, b"x", fin=False),
            "long ping": lambda c: c.send_frame(PING, b"x" * 126),
            "continuation of nothing": lambda c: c.send_frame(0, b"{}"),
            "text within text": lambda c: (c.send_frame(TEXT, b"{", fin=False), c.send_frame(TEXT, b"}")),
            "close of one byte": lambda c: c.send_frame(CLOSE, b"\x03"),
            "close with 1005": lambda c: c.send_frame(CLOSE, struct.pack("!H", 1005)),
            "close with 999": lambda c: c.send_frame(CLOSE, struct.pack("!H", 999)),
        }
        for name, attack in attacks.items():
            with self.subTest(attack=name):
                connection = self.raw()
                attack(connection)
                self.assert_closed(connection, 1002)

    def test_a_length_that_is_not_the_shortest_is_1002(self):
        connection = self.raw()
        connection.socket.sendall(struct.pack("!BBH", 0x81, 0x80 | 126, 5) + b"maskabcde")
        self.assert_closed(connection, 1002)

    def test_a_ping_is_answered_with_its_payload_between_fragments_too(self):
        connection, text = self.raw(), '{"jsonrpc":"2.0","id":"é\U0001f600","method":"node.info"}'.encode()
        connection.send_frame(TEXT, text[:24], fin=False)
        connection.send_frame(PING, b"are you there")
        self.assertEqual(connection.receive_frame(), (True, PONG, b"are you there"))
        for n in range(24, len(text)):
            connection.send_frame(0, text[n:n + 1], fin=n == len(text) - 1)
        self.assertEqual(json.loads(connection.receive())["id"], "é\U0001f600")

    def test_a_close_is_answered_with_its_code(self):
        for code in (1000, 1001, 3000, 4999):
            connection = self.raw()
            connection.send_frame(CLOSE, struct.pack("!H", code) + "tschüß".encode())
            self.assert_closed(connection, code)
        connection = self.raw()
        connection.send_frame(CLOSE)
        self.assert_closed(connection, 1005, 1000)

    def test_a_flood_of_pings_or_fragments_ends_the_connection(self):
        for opcodes in ([PING] * 5000, [TEXT] + [0] * 5000):
            connection = self.raw()
            try:
                for opcode in opcodes:
                    connection.send_frame(opcode, b"", fin=opcode == PING)
            except OSError:
                pass
            self.assertIn(connection.close_code(), (1008, 1009, 1002, None))

    def test_garbage_ends_the_connection_and_nothing_else(self):
        for garbage in (b"\x00" * 100, b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n" * 10, bytes(range(256)) * 4):
            connection = self.raw()
            try:
                connection.socket.sendall(garbage)
            except OSError:
                pass
            self.assertIn(connection.close_code(), (1002, 1003, 1007, 1008, 1009, None))
        self.ws.sync()


class WithoutManners(WithSession):
    def test_the_calls_of_a_client_that_has_gone_go_on(self):
        agent, calls = self.make("sleeper", args={"seconds": 0.2}), [new_call() for _ in range(3)]
        session = self.session()
        for call in calls:
            session.notify("agent.call", agent=agent, call=call, input=call)
        session.sync()
        session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        session.close()
        for call in calls:
            answer = json.loads(curl(f"localhost:{self.n.port}/rpc", "-d", json.dumps(
                request(1, "call.get", call=call, wait_ms=15000))))
            self.assertEqual(answer["result"]["value"]["content"], call)

    def test_a_client_that_comes_back_gets_its_outcomes(self):
        agent, call = self.make("counter"), new_call()
        session = self.session(caller="returning")
        slow = self.n.call(self.make("sleeper", args={"seconds": 0.3}), 7)["placeholder"]
        session.notify("agent.call", agent=agent, call=call, input=slow)
        session.sync()
        session.close()
        again = self.session(caller="returning")
        again.notify("agent.call", agent=agent, call=call, input=slow)
        self.assertEqual(again.settled(call)["value"]["content"], 7)
        self.assertEqual(self.n.ask(agent, 0), 7, "it ran once")

    def test_a_client_that_waits_for_an_answer_may_go(self):
        agent = self.make("sleeper", args={"seconds": 0.2})
        session = self.session()
        session.request("agent.call", agent=agent, input="x", wait_ms=9000)
        self.assertTrue(wait_for(lambda: self.n.rpc("call.list", agent=agent)["calls"], "the call"))
        session.close()
        call = self.n.rpc("call.list", agent=agent)["calls"][0]["call"]
        self.assertEqual(self.n.outcome(call)["value"]["content"], "x")

    def test_a_client_that_does_not_read_costs_bounded_memory_and_nobody_else(self):
        node = self.node(config={"limits": {"write_queue": 4 << 20}})
        node.create("echo", "e")
        node.ask("e", "warm")
        large = node.call("e", "x" * 900_000, wait_ms=9000)["call"]
        before = node.memory()
        session = self.session(node, receive_buffer=4096)
        session.socket.settimeout(0.3)
        sent = 0
        try:
            for _ in range(3000):
                session.send(request(1, "call.get", call=large))
                sent += 1
        except (TimeoutError, OSError):
            pass
        self.assertEqual(node.ask("e", "others go on"), "others go on")
        self.assert_no_fatter(node.memory(), before, 64 << 20, f"after {sent} requests for 900 kB each")

    def test_a_client_that_reads_late_still_gets_everything(self):
        agent, calls = self.make("echo"), [new_call() for _ in range(60)]
        session = self.session(receive_buffer=4096)
        for call in calls:
            session.notify("agent.call", agent=agent, call=call, input="x" * 100_000)
        wait_for(lambda: self.n.rpc("call.list", agent=agent, state="done")["calls"], "the first is done, read or not")
        for call in calls:
            self.assertEqual(len(session.settled(call)["value"]["content"]), 100_000)

    def test_outcomes_that_a_client_never_reads_do_not_grow_the_node_without_bound(self):
        node = self.node(config={"limits": {"write_queue": 2 << 20}})
        node.create("echo", "e")
        session, calls = self.session(node, receive_buffer=4096), [new_call() for _ in range(30)]
        session.socket.settimeout(1)
        sent = []
        try:
            for call in calls:
                session.notify("agent.call", agent="e", call=call, input="x" * 400_000)
                sent.append(call)
        except OSError:
            pass
        self.assertGreater(len(sent), 3)
        self.assertEqual(len(node.outcome(sent[0])["value"]["content"]), 400_000)
        self.assertEqual(node.ask("e", 1), 1)

    def test_many_connections_come_and_go(self):
        before = self.n.metrics()["agentd_websockets"]
        sessions = [Session(self.n) for _ in range(200)]
        self.assertEqual(self.n.metrics()["agentd_websockets"], before + 200)
        for session in sessions:
            session.close()
        wait_for(lambda: self.n.metrics()["agentd_websockets"] == before, "all are gone")



class SlowMessages(WithSession):
    def test_a_message_that_does_not_come_on_ends_the_connection_and_an_idle_one_does_not(self):
        idle = self.session()
        ws = self.raw()
        ws.socket.sendall(struct.pack("!BBHI", 0x81, 0xFE, 60_000, 0) + b"[")
        self.assertEqual(ws.close_code(), 1008)
        idle.sync()


if __name__ == "__main__":
    main()
