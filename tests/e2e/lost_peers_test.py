"""Peers that are away, dead, frozen, strange or not wanted."""

import collections
import os
import signal
import socket
import time
import unittest

from support.namespace import inside, run_inside
from support.node import Case, RpcError, main, wait_for
from support.peers import Peers, furnish
from support.strange import server, upgrade
from support.values import OVERDUE, causes, kinds, placeholder, reference
from support.websocket import new_call

GONE = 3 + 5  # a peer is tried again for 3 s; the rest is for a busy machine
SILENT = 3 + 10 + 7  # silence is looked into after some seconds, and lasts 10 s; the rest as above


def free_port():
    """A port of loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Away(Peers):
    """Peers that are not there, or not any more."""

    def test_a_placeholder_to_where_nobody_listens_is_peer_unreachable(self):
        (b,) = self.network(1)
        port = free_port()
        call = b.call("echo", placeholder(b, new_call(), port=port))["call"]
        quick = b.call("echo", placeholder(b, new_call(), port=port), deadline_ms=500)["call"]
        error = self.assert_failed(b, call, "input_failed", "peer_unreachable")
        self.assertEqual(causes(error)[-1]["code"], -32019)
        self.assertIs(causes(error)[-1]["data"]["retryable"], True)
        self.assertIn(str(port), causes(error)[-1]["message"])
        self.assertLess(self.seconds(b, call), GONE)
        self.assertEqual(b.outcome(quick)["state"], "failed")
        self.assertLessEqual(self.seconds(b, quick), 0.5 + OVERDUE)
        self.assertEqual(b.ask("echo", "goes on"), "goes on")

    def test_a_peer_that_comes_within_three_seconds_is_found(self):
        (b,) = self.network(1)
        port, first = free_port(), new_call()
        call = b.call("echo", placeholder(b, first, port=port))["call"]
        a = self.node(port=port)
        furnish(a)
        a.call("echo", "just in time", call=first)
        self.assertEqual(b.outcome(call)["value"]["content"], "just in time")

    def test_a_node_that_is_killed_is_peer_unreachable(self):
        a, b = self.network(2)
        _, call = self.awaited(a, b)
        a.kill()
        began = time.monotonic()
        self.assert_failed(b, call, "input_failed", "peer_unreachable")
        self.assertLess(time.monotonic() - began, GONE)

    def test_a_nested_call_to_a_node_that_is_killed_fails(self):
        a, b = self.network(2)
        b.create("forwarder", "forwarder", args={"to": reference(a, "slow")})
        call = b.call("forwarder", 1)["call"]
        wait_for(lambda: a.rpc("call.list", agent="slow", state="running")["calls"], "the nested call")
        a.kill()
        error = b.outcome(call)["error"]
        self.assertEqual(kinds(error)[0], "agent_failed")
        self.assertIn(kinds(error)[1], ("peer_unreachable", "outcome_unknown"))

    def test_a_node_that_freezes_is_peer_unreachable_or_the_deadline_ends_it(self):
        a, b = self.network(2)
        _, call = self.awaited(a, b)
        quick = b.call("echo", a.call("slow")["placeholder"], deadline_ms=1000)["call"]
        a.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        b.outcome(quick)
        self.assertLessEqual(self.seconds(b, quick), 1 + OVERDUE)
        self.assert_failed(b, call, "input_failed", "peer_unreachable", wait_ms=45000)
        self.assertLess(time.monotonic() - began, SILENT)
        a.send_signal(signal.SIGCONT)
        self.assertEqual(b.ask("echo", a.call("echo", "awake")["placeholder"]), "awake")

    def test_a_node_that_was_frozen_from_the_start_is_peer_unreachable(self):
        a, b = self.network(2)
        a.send_signal(signal.SIGSTOP)
        quick = b.call("echo", placeholder(a, new_call()), deadline_ms=1000)["call"]
        call = b.call("echo", placeholder(a, new_call()))["call"]
        b.outcome(quick)
        self.assertLessEqual(self.seconds(b, quick), 1 + OVERDUE)
        self.assert_failed(b, call, "input_failed", "peer_unreachable", wait_ms=45000)
        self.assertLess(self.seconds(b, call), SILENT)

    def test_a_node_that_started_anew_says_call_not_found_and_never_anothers_outcome(self):
        a, b = self.network(2)
        first, call = self.awaited(a, b)
        port = a.port
        a.kill()
        again = self.node(port=port)
        furnish(again)
        again.ask("echo", "another's")
        got = b.outcome(call, wait_ms=45000)
        self.assertEqual(got["state"], "failed", got)
        self.assertIn(kinds(got["error"])[-1], ("call_not_found", "outcome_unknown"))
        self.assertEqual(b.ask("echo", again.call("echo", "new")["placeholder"]), "new")
        self.assert_error("call_not_found", -32012, again.rpc, "call.get", call=first)

    def test_a_nested_call_does_not_run_twice_where_its_node_started_anew(self):
        a, b = self.network(2)
        b.create("forwarder", "forwarder", args={"to": reference(a, "slow")})
        call = b.call("forwarder", 1)["call"]
        wait_for(lambda: a.rpc("call.list", agent="slow", state="running")["calls"], "the nested call")
        port = a.port
        a.kill()
        again = self.node(port=port)
        furnish(again)
        got = b.outcome(call, wait_ms=45000)
        self.assertEqual(got["state"], "failed", got)
        self.assertIn(kinds(got["error"])[-1], ("outcome_unknown", "peer_unreachable"))
        self.assertEqual(again.rpc("call.list", agent="slow")["calls"], [])

    def test_what_a_stopping_node_still_finishes_arrives(self):
        a, b = self.network(2)
        _, dependent = self.awaited(a, b)
        soon = a.call("soon", "last words")
        call = b.call("echo", soon["placeholder"])["call"]
        unfinished = dependent
        a.wait_state(soon["call"], "running")
        b.ask("echo", a.call("echo", 1)["placeholder"])
        a.rpc("node.stop", grace_ms=2000)
        self.assertEqual(b.outcome(call)["value"]["content"], "last words")
        error = b.outcome(unfinished)["error"]
        self.assertIn(kinds(error)[-1], ("shutting_down", "peer_unreachable"))
        self.assertEqual(a.wait(), 0)

    def test_a_node_with_many_calls_on_a_dead_peer_ends_at_once(self):
        a, b = self.network(2)
        for _ in range(50):
            b.call("echo", placeholder(a, new_call()))
        a.kill()
        began = time.monotonic()
        self.assertEqual(b.rpc("node.stop", grace_ms=200), {})
        self.assertEqual(b.wait(), 0)
        self.assertLess(time.monotonic() - began, 8)


class Strange(Peers):
    """Peers that are no agentd, or do not want us."""

    def counted(self, answer, dials):
        """A server that counts its connections."""
        def count_and_answer(connection):
            dials[answer.__name__] += 1
            answer(connection)
        return server(self, count_and_answer)

    def test_what_is_no_agentd_fails_the_call_and_not_the_node(self):
        (b,) = self.network(1)

        def hangs_up(connection):
            connection.recv(1)

        def talks_nonsense(connection):
            connection.recv(4096)
            connection.sendall(os.urandom(4096))

        def is_a_web_server(connection):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        def never_ends_its_header(connection):
            connection.recv(4096)
            while True:
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 10_000)

        def accepts_falsely(connection):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
            connection.recv(4096)

        before = b.memory()
        calls = {one.__name__: b.call("echo", placeholder(b, new_call(), port=server(self, one)))["call"]
                 for one in (hangs_up, talks_nonsense, is_a_web_server, never_ends_its_header, accepts_falsely)}
        for name, call in calls.items():
            with self.subTest(server=name):
                got = b.outcome(call, wait_ms=45000)
                self.assertEqual(got["state"], "failed")
                self.assertIn(kinds(got["error"])[-1], ("peer_unreachable", "peer_refused"), got)
                self.assertLess(self.seconds(b, call), SILENT)
        self.assertEqual(b.ask("echo", "goes on"), "goes on")
        self.assert_no_fatter(b.memory(), before, 64 << 20)

    def test_a_peer_that_accepts_and_says_nothing_is_peer_unreachable(self):
        (b,) = self.network(1)
        port = server(self, lambda connection: [None for _ in iter(lambda: connection.recv(4096), b"")])
        quick = b.call("echo", placeholder(b, new_call(), port=port), deadline_ms=1000)["call"]
        call = b.call("echo", placeholder(b, new_call(), port=port))["call"]
        b.outcome(quick)
        self.assertLessEqual(self.seconds(b, quick), 1 + OVERDUE)
        error = causes(self.assert_failed(b, call, "input_failed", "peer_unreachable"))[-1]
        self.assertLess(self.seconds(b, call), GONE)
        self.assertEqual(error["data"]["node"], f"127.0.0.1:{port}")
        self.assertIn(f"127.0.0.1:{port} did not answer", error["message"])

    def test_a_peer_that_breaks_after_each_upgrade_is_given_up_with_the_reason(self):
        (b,) = self.network(1)

        def hangs_up(connection):
            upgrade(connection)

        def hangs_up_on_the_first_frame(connection):
            upgrade(connection)
            connection.recv(4096)

        def sends_no_json(connection):
            upgrade(connection)
            connection.sendall(b"\x81\x01{")
            connection.recv(4096)

        dials = collections.Counter()
        calls = {one.__name__: b.call("echo", placeholder(b, new_call(), port=self.counted(one, dials)))["call"]
                 for one in (hangs_up, hangs_up_on_the_first_frame, sends_no_json)}
        reasons = {"hangs_up": "connection was lost", "hangs_up_on_the_first_frame": "connection was lost",
                   "sends_no_json": "no JSON"}
        for name, call in calls.items():
            with self.subTest(server=name):
                error = causes(self.assert_failed(b, call, "input_failed", "peer_unreachable"))[-1]
                self.assertIn(reasons[name], error["message"])
                self.assertLess(self.seconds(b, call), GONE)
                self.assertGreater(dials[name], 1)
                self.assertLess(dials[name], 12)

    def test_a_peer_that_hangs_up_after_each_good_frame_is_dialled_ever_less_often_until_the_deadline(self):
        (b,) = self.network(1)

        def hangs_up_after_a_frame(connection):
            upgrade(connection)
            connection.sendall(b"\x81\x02{}")

        dials = collections.Counter()
        port = self.counted(hangs_up_after_a_frame, dials)
        call = b.call("echo", placeholder(b, new_call(), port=port), deadline_ms=5000)["call"]
        self.assertEqual(kinds(b.outcome(call)["error"])[0], "deadline_exceeded")
        self.assertGreater(dials["hangs_up_after_a_frame"], 1)
        self.assertLess(dials["hangs_up_after_a_frame"], 12)

    def with_token(self, token, **options):
        path = os.path.join(self.directory, token)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(token)
        return path

    def test_a_peer_that_asks_for_a_token_refuses_who_has_none(self):
        (b,) = self.network(1)
        self.directory = b.directory.name
        token = "0123456789abcdef-token"
        a = self.node("--token-file", self.with_token(token))
        call = b.call("echo", placeholder(a, new_call()))["call"]
        self.assert_failed(b, call, "input_failed", "peer_refused")
        headers = {"Authorization": f"Bearer {token}"}
        a.post({"jsonrpc": "2.0", "id": 1, "method": "agent.create", "params": {"type": "echo", "agent": "echo"}}, headers=headers)
        first = a.post({"jsonrpc": "2.0", "id": 1, "method": "agent.call", "params": {"agent": "echo", "input": "secret"}},
                       headers=headers).json["result"]["placeholder"]
        known = self.node(config={"peers": [a.address], "peer_token_file": self.with_token(token)})
        known.create("echo", "echo")
        self.assertEqual(known.ask("echo", first), "secret")
        unlisted = self.node(config={"peer_token_file": self.with_token(token)})
        unlisted.create("echo", "echo")
        call = unlisted.call("echo", first)["call"]
        self.assert_failed(unlisted, call, "input_failed", "peer_refused")


class Beyond(Case):
    def test_peers_beyond_loopback(self):
        """Runs the class below in a network namespace of its own."""
        run_inside(self, __file__, "InNamespace", (
            "link set lo up", "addr add 10.99.0.1/32 dev lo", "link add hole type veth peer name bottom",
            "addr add 10.99.1.1/24 dev hole", "link set hole up", "link set bottom up",
            "neigh add 10.99.1.2 lladdr 02:00:00:00:00:02 dev hole"))


@unittest.skipUnless(inside(), "runs within the test above")
class InNamespace(Peers):
    """There is loopback, 10.99.0.1 on it, and 10.99.1.0/24, where everything vanishes."""

    def refused_and_not_dialled(self, b, host):
        with socket.create_server((host, 0)) as listener:
            listener.setblocking(False)
            port = listener.getsockname()[1]
            call = b.call("echo", placeholder(b, new_call(), host=host, port=port))["call"]
            error = self.assert_failed(b, call, "input_failed", "peer_refused")
            self.assertEqual(causes(error)[-1]["code"], -32020)
            self.assertIn(f"{host}:{port}", causes(error)[-1]["message"])
            self.assertLess(self.seconds(b, call), 3)
            with self.assertRaises(BlockingIOError):
                listener.accept()

    def test_a_node_that_is_not_listed_is_refused_and_not_dialled(self):
        (b,) = self.network(1)
        self.refused_and_not_dialled(b, "10.99.0.1")
        self.assertEqual(b.ask("echo", "goes on"), "goes on")

    def test_a_list_of_others_does_not_help(self):
        for peers in (["10.99.0.2"], ["10.99.0.2/31"], ["10.99.0.1:1"], ["10.98.0.0/16"], ["peer.example"]):
            b = self.node(config={"peers": peers})
            furnish(b)
            self.refused_and_not_dialled(b, "10.99.0.1")

    def test_a_listed_node_is_dialled(self):
        a = self.node("--host", "10.99.0.1", "--insecure")
        furnish(a)
        for peers in (["10.99.0.1"], ["10.99.0.0/24"], [f"10.99.0.1:{a.port}"], ["10.0.0.0/8"], [f"10.0.0.0/8:{a.port}"]):
            b = self.node(config={"peers": peers})
            furnish(b)
            self.assertEqual(b.ask("echo", a.call("soon", "x")["placeholder"]), "x", peers)

    def test_an_agent_elsewhere_is_refused_too(self):
        (b,) = self.network(1)
        b.create("forwarder", "forwarder", args={"to": {"$agent": {"host": "10.99.0.1", "port": 12001, "agent": "x"}}})
        call = b.call("forwarder", 1)["call"]
        self.assert_failed(b, call, "agent_failed", "peer_refused")

    def test_other_ways_to_write_an_address_do_not_get_around_the_list(self):
        (b,) = self.network(1)
        for host in ("::ffff:10.99.0.1", "[::ffff:10.99.0.1]", "0x0a630001", "174260225", "012.99.0.1", "10.99.1", "10.99.0.1."):
            with socket.create_server(("10.99.0.1", 0)) as listener:
                listener.setblocking(False)
                try:
                    call = b.call("echo", placeholder(b, new_call(), host=host, port=listener.getsockname()[1]))["call"]
                    self.assertEqual(b.outcome(call)["state"], "failed")
                except RpcError as error:
                    self.assertEqual(error.kind, "invalid_params")
                with self.assertRaises(BlockingIOError):
                    listener.accept()

    def test_a_peer_into_which_everything_vanishes_is_peer_unreachable(self):
        b = self.node(config={"peers": ["10.99.1.0/24"]})
        furnish(b)
        quick = b.call("echo", placeholder(b, new_call(), host="10.99.1.2"), deadline_ms=500)["call"]
        call = b.call("echo", placeholder(b, new_call(), host="10.99.1.2"))["call"]
        b.outcome(quick)
        self.assertLessEqual(self.seconds(b, quick), 0.5 + OVERDUE)
        error = causes(self.assert_failed(b, call, "input_failed", "peer_unreachable"))[-1]
        self.assertLess(self.seconds(b, call), GONE)
        self.assertIn(f"10.99.1.2:{b.port} did not answer", error["message"])


if __name__ == "__main__":
    main()
