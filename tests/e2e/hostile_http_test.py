"""What comes from who means no good, over HTTP. After every attack the node answers as before, no fatter."""

import json
import os
import random
import resource
import signal
import socket
import struct
import time
import unittest

from support.node import RpcError, SharedNode, main, wait_for
from support.raw_http import RawHttp, request
from support.websocket import Refused, Session, WebSocket, new_call

MIB = 1 << 20
INFO = b'{"jsonrpc":"2.0","id":1,"method":"node.info"}'


class Hostile(SharedNode):
    growth = 64 * MIB

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node_.create("echo", "echo")
        cls.node_.ask("echo", "warm")
        cls.before = cls.node_.memory()

    def setUp(self):
        self.n = self.shared

    def tearDown(self):
        self.assert_well(self.n, type(self).before)

    def assert_well(self, node, before):
        self.assertIsNone(node.process.poll(), node.log())
        self.assertEqual(node.ask("echo", "still here", release=True), "still here")
        self.assert_no_fatter(node.memory(), before, self.growth)

    def connect(self, node=None):
        raw = RawHttp(node or self.n)
        self.addCleanup(raw.close)
        return raw

    def status(self, data, node=None):
        """The status that these bytes bring."""
        with RawHttp(node or self.n) as raw:
            raw.try_send(data)
            answer = raw.answer()
            return answer and answer[0]

    def assert_refused(self, data, *statuses, node=None):
        """Asserts one answer with such a status, and the end of the connection."""
        with RawHttp(node or self.n) as raw:
            raw.try_send(data)
            got = raw.statuses()
            self.assertEqual(len(got), 1, f"{data[:200]!r} brought {got}")
            self.assertIn(got[0], statuses, data[:300])

    def kind(self, body):
        """The kind of error that this body brings at /rpc, always with 200."""
        answer = self.n.post(body)
        self.assertEqual(answer.status, 200, body[:100])
        self.assertIn("error", answer.json, f"{body[:200]!r} brought {answer.body[:200]!r}")
        return answer.json["error"]["data"]["kind"]


class Json(Hostile):
    def call_with(self, input):
        return '{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"echo","wait_ms":45000,"release":true,"input":%s}}' % input

    def test_bytes_that_are_not_utf_8_are_a_parse_error(self):
        for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"\xf0\x82\x82\xac"):
            for frame in (b'{"jsonrpc":"2.0","id":"%s","method":"node.info"}', b'{"jsonrpc":"2.0","id":1,"method":"%s"}',
                          b'{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"echo","input":"%s"}}',
                          b'{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"echo","input":{"content":{"%s":1}}}}',
                          b'{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"echo","name":"%s"}}', b"%s"):
                self.assertEqual(self.kind(frame % bad), "parse_error", frame % bad)

    def test_lone_surrogates_are_a_parse_error(self):
        for lone in ("\\ud800", "\\udc00", "\\ud800\\ud800", "\\udc00\\ud800", "\\ud800x", "\\uD800\\n"):
            for frame in ('{"jsonrpc":"2.0","id":"%s","method":"node.info"}', '{"jsonrpc":"2.0","id":1,"method":"%s"}',
                          '{"jsonrpc":"2.0","id":1,"method":"agent.get","params":{"agent":"%s"}}',
                          '{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"%s"}}',
                          '{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"transcript","args":{"name":"%s"}}}',
                          '{"jsonrpc":"2.0","id":1,"method":"node.info","params":{"%s":1}}', self.call_with('{"content":["%s"]}'),
                          self.call_with('{"content":1,"name":"%s"}'), self.call_with('{"content":1,"metadata":{"%s":1}}')):
                self.assertEqual(self.kind(frame % lone), "parse_error", frame % lone)
        self.assertEqual(self.n.post(self.call_with('"\\ud83d\\ude00"')).json["result"]["value"]["content"], "\U0001f600")

    def test_200_000_brackets_are_a_parse_error(self):
        for open, close in (("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")):
            count = 200_000 // len(open)
            for deep in (open * count, open * count + "1" + close * count):
                for frame in ("%s", '{"jsonrpc":"2.0","id":%s,"method":"node.info"}', '{"jsonrpc":"2.0","id":1,"method":%s}',
                              '{"jsonrpc":"2.0","id":1,"method":"node.info","params":%s}', self.call_with("%s"),
                              self.call_with('{"content":%s}'), self.call_with('{"content":1,"metadata":%s}'),
                              self.call_with('{"content":{"$literal":%s}}'), self.call_with('{"$placeholder":%s}'),
                              '{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"echo","args":%s}}',
                              '{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"echo","options":{"state":%s}}}'):
                    self.assertEqual(self.kind(frame % deep), "parse_error", frame)

    def test_depth_is_counted_once_for_all_of_an_input(self):
        for depth, frame in ((65, '{"content":%s}'), (64, '{"content":[%s]}'), (65, '[{"content":%s}]'), (66, "[%s]")):
            self.assertEqual(self.kind(self.call_with(frame % ("[" * depth + "]" * depth))), "parse_error", (depth, frame))

    def test_a_hundred_thousand_members_are_only_many(self):
        members = ",".join(f'"k{n}":{n}' for n in range(60_000))
        answer = self.n.post(self.call_with('{"content":{%s}}' % members))
        self.assertEqual(len(answer.json["result"]["value"]["content"]), 60_000)
        self.assertIn(self.kind('{"jsonrpc":"2.0","id":1,"method":"node.info","params":{%s}}' % members), ("invalid_params",))
        self.assertIn(self.kind(self.call_with('{"content":1,"x":2,%s}' % members)), ("invalid_params",))
        self.kind('{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"counter","args":{%s}}}' % members)

    def test_huge_numbers_do_no_harm(self):
        digits = "9" * 500_000
        for number in (digits, "1e400", "1e-400", "-" + digits, "0." + digits, "1e" + "9" * 1000, "1E+" + "0" * 1000 + "1"):
            answer = self.n.post('{"jsonrpc":"2.0","id":%s,"method":"node.info"}' % number)
            self.assertEqual(answer.status, 200)
            self.assertTrue(number.encode() in answer.body or "error" in answer.json)
            self.assertIn(b'"content":%s' % number.encode(), self.n.post(self.call_with(number)).body)
            for param in ("deadline_ms", "wait_ms"):
                self.assertEqual(self.kind('{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"echo","%s":%s}}'
                                           % (param, number)), "invalid_params")
            for type, arg in (("counter", "start"), ("burner", "iterations"), ("sleeper", "seconds")):
                answer = self.n.post('{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"%s","args":{"%s":%s}}}'
                                     % (type, arg, number))
                self.assertEqual(answer.status, 200)
                if "result" in answer.json:
                    call = self.n.call(answer.json["result"]["agent"], 1, deadline_ms=200)["call"]
                    self.n.outcome(call)
            for type, args in (("transcript", {"name": "T"}), ("burner", {"iterations": 1}), ("failer", {}), ("counter", {})):
                body = '{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"%s","wait_ms":45000,"input":%s}}'
                self.assertEqual(self.n.post(body % (self.n.create(type, args=args), number)).status, 200)

    def test_create_many_too_many_is_refused_before_any_is_made(self):
        node = self.node(config={"limits": {"agents": 1000}})
        node.create("echo", "echo")
        for count, prefix in ((10**7 + 1, "x"), (10**10, "x"), (10**30, "x"), (10**7, "x"), (1000, "x")):
            with self.assertRaises(RpcError) as raised:
                node.rpc("agent.create_many", type="echo", count=count, prefix=prefix)
            self.assertIn(raised.exception.kind, ("invalid_params", "overloaded"))
            self.assertEqual(node.rpc("node.info")["agents"], 1, (count, prefix))
        node.rpc("agent.create_many", type="echo", count=999, prefix="x")

    def test_create_many_needs_room_only_for_those_that_are_not_there(self):
        node = self.node(config={"limits": {"agents": 20_000}})
        many = {"type": "echo", "prefix": "x"}
        node.rpc("agent.create_many", count=20_000, **many)
        for missing in ((), ("x-0",), ("x-7", "x-19999")):
            for agent in missing:
                node.rpc("agent.delete", agent=agent)
            self.assertEqual(node.rpc("agent.create_many", count=20_000, **many)["count"], 20_000)
        node.rpc("agent.delete", agent="x-7")
        with self.assertRaises(RpcError) as raised:
            node.rpc("agent.create_many", count=20_001, **many)
        self.assertEqual((raised.exception.kind, raised.exception.data["limit"]), ("overloaded", "agents"))
        self.assertEqual(node.rpc("node.info")["agents"], 19_999)

    def test_making_many_agents_keeps_nobody_waiting(self):
        node = self.node()
        node.create("echo", "echo")
        making = Session(node)
        self.addCleanup(making.close)
        id = making.request("agent.create_many", type="echo", count=100_000, prefix="x")
        checks = 0
        while not any(message.get("id") == id for message in making.inbox):
            self.assertEqual(node.get("/healthz").status, 200)
            checks += 1
            try:
                making.pump(0.001)
            except TimeoutError:
                pass
        self.assertEqual(making.answer(id)["count"], 100_000)
        self.assertGreater(checks, 3, "health checks that were answered meanwhile; if it kept all others waiting: 1")

    def test_an_error_is_not_as_long_as_what_is_wrong(self):
        long = "9" * 500_000
        for body in ('{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"counter","args":{"start":"%s"}}}' % long,
                     '{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"counter","args":{"%s":1}}}' % long,
                     '{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"%s"}}' % long,
                     '{"jsonrpc":"2.0","id":1,"method":"%s"}' % long, '{"jsonrpc":"2.0","id":1,"method":"node.info","params":{"%s":1}}' % long,
                     '{"jsonrpc":"2.0","id":1,"method":"agent.get","params":{"agent":"%s"}}' % long, self.call_with('{"$placeholder":"%s"}' % long),
                     self.call_with('{"content":1,"%s":1}' % long), '{"jsonrpc":"2.0","id":1,"method":"agent.list","params":{"cursor":"%s"}}' % long,
                     '{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"echo","method":"%s"}}' % long):
            with self.subTest(body=body[:110]):
                answer = self.n.post(body)
                self.assertIn("error", answer.json)
                self.assertLess(len(answer.body), 4096)
                self.assertNotIn("json.exception", answer.json["error"]["message"])

    def test_an_error_about_a_huge_number_in_args_is_short_and_in_our_words(self):
        answer = self.n.post('{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"counter","args":{"start":%s}}}' % ("9" * 500_000))
        self.assertEqual(answer.json["error"]["data"]["kind"], "invalid_params")
        self.assertLess(len(answer.body), 4096)
        self.assertNotIn("json.exception", answer.json["error"]["message"])

    def test_no_mix_of_wrong_types_does_harm(self):
        wrong = [None, True, 0, -1, 1.5, "", "x", "é\u0000", [], {}, [[]], {"a": {}}, 2**63, 2**64, -(2**63), [None] * 50,
                 {"$placeholder": {}}, {"$agent": 1}, "A" * 5000]
        params = {
            "node.info": ["x"], "type.list": ["x"], "rpc.discover": ["x"], "node.drain": ["x"], "node.stop": ["x"],
            "agent.create": ["type", "agent", "name", "args", "options"],
            "agent.create_many": ["type", "count", "prefix", "args", "options"], "agent.clone": ["agent", "as"],
            "agent.get": ["agent"], "agent.list": ["type", "cursor", "limit"], "agent.delete": ["agent"],
            "agent.call": ["agent", "method", "input", "call", "deadline_ms", "settled", "caller", "path", "release"],
            "call.get": ["call"], "call.cancel": ["call"], "call.release": ["calls"],
            "call.list": ["agent", "state", "cursor", "limit"], "call.subscribe": ["calls", "grace_ms"],
            "event.subscribe": ["topics"]}
        good = {"type": "echo", "agent": "echo", "args": {}, "call": new_call(), "count": 1, "prefix": "w", "calls": []}
        dice = random.Random(7)
        for method, names in params.items():
            batch = [{"jsonrpc": "2.0", "id": n, "method": method, "params": value} for n, value in enumerate(wrong)
                     if value not in ([], {}) and value is not None]
            for name in names:
                for value in wrong:
                    mixed = {other: good.get(other, "x") for other in names if dice.random() < 0.7 and other in good}
                    batch.append({"jsonrpc": "2.0", "id": name, "method": method, "params": {**mixed, name: value}})
            batch = [one for one in batch if method != "agent.delete" or one["params"] != {"agent": "echo"}]
            answers = self.n.post(batch).json
            self.assertEqual(len(answers), len(batch), method)
            for sent, answer in zip(batch, answers):
                self.assertIn("result" if "result" in answer else "error", answer)
                if "error" in answer:
                    self.assertNotEqual(answer["error"]["code"], -32603, (sent, answer))

    def test_a_batch_of_small_requests_does_not_make_an_answer_without_bound(self):
        node = self.node()
        node.create("echo", "echo")
        call = node.call("echo", "x" * 900_000, wait_ms=45000)["call"]
        try:
            answer = node.post([{"jsonrpc": "2.0", "id": n, "method": "call.get", "params": {"call": call}} for n in range(250)])
            self.assertLessEqual(len(answer.body), 64 * MIB)
        except OSError:
            pass
        with open(f"/proc/{node.pid}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
        self.assert_no_fatter(peak, 0, 160 * MIB)

    def test_a_batch_of_a_hundred_thousand_nothings_is_answered(self):
        answer = self.n.post("[" + ",".join(["1"] * 100_000) + "]", limit=40)
        self.assertIn(answer.status, (200, 413))


class Bodies(Hostile):
    def test_a_body_of_1_mib_is_taken_and_one_byte_more_is_413(self):
        self.assertEqual(self.n.post(INFO + b" " * (MIB - len(INFO))).status, 200)
        self.assert_refused(request(self.n, body=INFO + b" " * (MIB - len(INFO) + 1)), 413)
        self.assert_refused(request(self.n, body=b"[" + b"1," * MIB + b"1]"), 413)
        self.assert_refused(request(self.n, headers={"Content-Length": str(1 << 62)}), 413)

    def test_who_asks_before_sending_too_much_is_told_413_at_once(self):
        self.assert_refused(request(self.n, headers={"Content-Length": "2097152", "Expect": "100-continue"}), 413)

    def test_who_asks_before_sending_may_go_on(self):
        raw = self.connect()
        raw.send(request(self.n, headers={"Content-Length": str(len(INFO)), "Expect": "100-continue"}))
        self.assertEqual(raw.answer()[0], 100)
        raw.send(INFO)
        self.assertEqual(raw.answer()[0], 200)

    def test_chunks_that_add_up_to_too_much_are_413(self):
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        self.assert_refused(request(self.n, headers={"Transfer-Encoding": "chunked"}) + chunk * 33, 413)
        self.assert_refused(request(self.n, headers={"Transfer-Encoding": "chunked"}) + b"7fffffff\r\n", 413)

    def test_a_body_in_chunks_is_as_one_in_a_piece(self):
        raw = self.connect()
        for body in (b"".join(b"1\r\n%c\r\n" % byte for byte in INFO) + b"0\r\n\r\n",
                     b"%x;name=value\r\n%s\r\n0\r\n\r\n" % (len(INFO), INFO), b"%X\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (len(INFO), INFO)):
            raw.send(request(self.n, headers={"Transfer-Encoding": "chunked"}) + body)
            self.assertEqual(raw.answer()[0], 200, body)

    def test_malformed_chunks_are_400(self):
        for chunks in (b"-1\r\n", b"0x1\r\n1\r\n0\r\n\r\n", b"g\r\n", b"\r\n", b" 1\r\n1\r\n0\r\n\r\n", b"1\n1\n0\n\n", b"1\r\n12\r\n0\r\n\r\n",
                       b"1\r\n1X0\r\n\r\n", b"1;\x00\r\n1\r\n0\r\n\r\n"):
            with self.subTest(chunks=chunks):
                self.assert_refused(request(self.n, headers={"Transfer-Encoding": "chunked"}) + chunks, 400)
        self.assert_refused(request(self.n, headers={"Transfer-Encoding": "chunked"}) + b"f" * 20 + b"\r\n", 400, 413)

    def test_endless_chunk_extensions_and_trailers_are_refused(self):
        start = request(self.n, headers={"Transfer-Encoding": "chunked"})
        self.assert_refused(start + b"1;" + b"x" * (2 * MIB), 400, 413, 431)
        self.assert_refused(start + b"0\r\n" + b"A: b\r\n" * 400_000, 400, 413, 431)

    def test_every_complete_body_gets_200_or_204(self):
        dice = random.Random(11)
        for _ in range(150):
            body = bytes(dice.choice(b'{}[]",:0123456789.eE+- \n\\ truefalsnju\xff\xc3\xa9') for _ in range(dice.randrange(60)))
            self.assertIn(self.n.post(body).status, (200, 204), body)
        for cut in range(len(INFO)):
            self.assertEqual(self.n.post(INFO[:cut]).json["error"]["code"], -32700)
        for n in range(len(INFO)):
            for byte in b'\x00"{}\xff':
                self.assertIn(self.n.post(INFO[:n] + bytes([byte]) + INFO[n + 1:]).status, (200, 204))


class Smuggling(Hostile):
    def test_two_ways_to_read_a_length_are_400_and_the_end(self):
        hidden = request(self.n, body=INFO)
        for name, headers in {
            "two lengths": "Content-Length: 45\r\nContent-Length: 45",
            "two different lengths": "Content-Length: 45\r\nContent-Length: 0",
            "a list of lengths": "Content-Length: 45, 45",
            "length and chunks": "Content-Length: 45\r\nTransfer-Encoding: chunked",
            "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 0",
            "gzip, chunked": "Transfer-Encoding: gzip, chunked",
            "chunked, identity": "Transfer-Encoding: chunked, identity",
            "identity": "Transfer-Encoding: identity",
            "chunked twice in one": "Transfer-Encoding: chunked, chunked",
            "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "almost chunked": "Transfer-Encoding: xchunked",
            "quoted chunked": 'Transfer-Encoding: "chunked"',
            "chunked;q": "Transfer-Encoding: chunked;q=1",
            "empty encoding": "Transfer-Encoding:",
            "space before colon": "Transfer-Encoding : chunked",
            "tab before colon": "Content-Length\t: 0",
            "vertical tab": "Transfer-Encoding:\x0bchunked",
            "folded": "Transfer-Encoding:\r\n chunked",
            "folded length": "X: y\r\n Content-Length: 45",
            "plus": "Content-Length: +45", "minus": "Content-Length: -1", "hex": "Content-Length: 0x2d",
            "empty": "Content-Length:", "words": "Content-Length: many", "fraction": "Content-Length: 45.0",
            "beyond 64 bits": "Content-Length: 99999999999999999999999", "space inside": "Content-Length: 4 5",
            "nul in name": "Content\x00-Length: 45", "nul in value": "Content-Length: 45\x00",
            "bare lf": "X: y\nContent-Length: 45", "bare cr": "X: y\rContent-Length: 45",
            "no colon": "Content-Length 45", "no name": ": 45", "two hosts": f"Host: {self.n.address}",
            "utf-8 name": "C\xc3\xb6ntent: 1",
        }.items():
            with self.subTest(shape=name):
                self.assert_refused(f"POST /rpc HTTP/1.1\r\nHost: {self.n.address}\r\n{headers}\r\n\r\n".encode("latin-1") + hidden, 400)

    def test_a_request_line_that_is_none_is_400(self):
        for line in ("GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET / HTTP/2.0", "GET / HTTP/1.2", "GET / http/1.1",
                     "GET /\t HTTP/1.1", "GET /a b HTTP/1.1", "G@T / HTTP/1.1", "GET rpc HTTP/1.1", "GET / HTTP/1.10", "GET /\x00 HTTP/1.1",
                     "GET /#x HTTP/1.1", "", "PRI * HTTP/2.0", "GET http://evil.example/ HTTP/1.1", "GET /\xff HTTP/1.1", "\x16\x03\x01\x02"):
            with self.subTest(line=line):
                if line:
                    self.assert_refused(f"{line}\r\nHost: {self.n.address}\r\n\r\n".encode("latin-1"), 400)
        self.assert_refused(f"GET / HTTP/1.1\nHost: {self.n.address}\n\n".encode(), 400)

    def test_a_request_without_host_is_400(self):
        self.assert_refused(b"GET / HTTP/1.1\r\n\r\n", 400)
        self.assertIn(self.status(b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"), (400, 403))

    def test_requests_in_one_go_are_answered_in_their_order(self):
        raw = self.connect()
        self.n.create("sleeper", "pipeline", args={"seconds": 0.1})
        slow = b'{"jsonrpc":"2.0","id":"slow","method":"agent.call","params":{"agent":"pipeline","wait_ms":45000}}'
        raw.send(request(self.n, body=slow) + request(self.n, "GET", "/healthz") + request(self.n, body=INFO) + request(self.n, "GET", "/nope"))
        answers = [raw.answer() for _ in range(4)]
        self.assertEqual([answer[0] for answer in answers], [200, 200, 200, 404])
        self.assertEqual([json.loads(answers[n][2])["id"] for n in (0, 2)], ["slow", 1])

    def test_what_follows_a_refused_body_is_not_taken_for_a_request(self):
        self.assert_refused(request(self.n, target="/nope", body=request(self.n, body=INFO)), 404)
        self.assert_refused(request(self.n, headers={"Host": "evil.example"}, body=request(self.n, body=INFO)), 403)
        self.assert_refused(request(self.n, "GET", "/ws", body=request(self.n, body=INFO)), 400, 426)


class Garbage(Hostile):
    def test_requests_with_random_mistakes_bring_an_answer_or_the_end_and_nothing_else(self):
        dice = random.Random(13)
        whole = [request(self.n, body=INFO), request(self.n, "GET", "/metrics"), request(self.n, headers={"Transfer-Encoding": "chunked"})
                 + b"5\r\n" + INFO[:5] + b"\r\n%x\r\n" % (len(INFO) - 5) + INFO[5:] + b"\r\n0\r\n\r\n",
                 request(self.n, "GET", "/ws", {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                                                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}) + b"\x81\x80abcd"]
        known = {101, 200, 204, 400, 401, 403, 404, 405, 408, 413, 415, 417, 426, 431, 503}
        for _ in range(1500):
            data = bytearray(dice.choice(whole))
            for _ in range(dice.randrange(1, 4)):
                at = dice.randrange(len(data))
                change = dice.randrange(4)
                if change == 0:
                    data[at] = dice.randrange(256)
                elif change == 1:
                    del data[at:at + dice.randrange(1, 9)]
                elif change == 2:
                    data[at:at] = dice.choice((b"\r\n", b"\r", b"\n", b"\0", b" ", b":", b"\xff", b"0", b"chunked", b"Host: x\r\n", data[:at][-20:]))
                else:
                    data = data[:at] or bytearray(b"x")
            with RawHttp(self.n) as raw:
                raw.try_send(bytes(data))
                raw.socket.shutdown(socket.SHUT_WR)
                received = bytearray()
                try:
                    while part := raw.socket.recv(1 << 16):
                        received += part
                except ConnectionError:
                    pass
            if received:
                self.assertTrue(received.startswith(b"HTTP/1.1 "), (bytes(data), bytes(received[:80])))
                self.assertIn(int(received[9:12]), known, bytes(data))


class Policy(Hostile):
    def test_a_host_that_is_not_ours_is_403(self):
        for host in ("evil.example", f"evil.example:{self.n.port}", f"127.0.0.1:{self.n.port + 1 if self.n.port < 65535 else 1}", "127.0.0.2",
                     f"localhost.evil.example:{self.n.port}", f"127.0.0.1.evil.example:{self.n.port}", "localhost.", "0.0.0.0",
                     f"localhost:{self.n.port}0" if self.n.port < 6553 else "localhost:1"):
            for method, target in (("GET", "/healthz"), ("GET", "/"), ("POST", "/rpc"), ("GET", "/ws"), ("GET", "/metrics"), ("GET", "/nope")):
                self.assertEqual(self.status(request(self.n, method, target, {"Host": host})), 403, (host, target))

    def test_a_host_that_is_none_is_400_or_403(self):
        for host in ("a@localhost", "localhost:", "localhost:x", "localhost:1:2", "[::1", "[::1]x", "local host", "127.0.0.1,evil", "http://localhost"):
            self.assertIn(self.status(request(self.n, "GET", "/healthz", {"Host": host})), (400, 403), host)

    def test_our_hosts_are_taken_however_they_are_written(self):
        for host in (self.n.address, "localhost", f"localhost:{self.n.port}", "LocalHost", "127.0.0.1", f"[::1]:{self.n.port}"):
            self.assertEqual(self.status(request(self.n, "GET", "/healthz", {"Host": host})), 200, host)

    def test_a_page_of_the_web_gets_403(self):
        for origin in ("http://evil.example", "null", f"http://{self.n.address}.evil.example", "https://localhost.evil", "", "x"):
            for method, target in (("POST", "/rpc"), ("GET", "/"), ("GET", "/ws"), ("OPTIONS", "/rpc")):
                body = INFO if method == "POST" else b""
                raw = self.connect()
                raw.try_send(request(self.n, method, target, {"Origin": origin, "Access-Control-Request-Method": "POST"}, body))
                status, headers, _ = raw.answer()
                self.assertEqual(status, 403, (origin, target))
                self.assertNotIn("access-control-allow-origin", headers)

    def test_an_allowed_origin_is_taken_with_json_only(self):
        node = self.node(config={"allowed_origins": ["https://good.example:8443"]})
        node.create("echo", "echo")

        def status(origin, **headers):
            return self.status(request(node, headers={"Origin": origin, **headers}, body=INFO), node)

        json_type = {"Content-Type": "application/json"}
        self.assertEqual(status("https://good.example:8443", **json_type), 200)
        self.assertEqual(status("https://good.example:8443", **{"Content-Type": "text/plain"}), 415)
        self.assertEqual(status("https://good.example:8443"), 415)
        for origin in ("https://good.example", "http://good.example:8443", "https://good.example:84433",
                       "https://good.example:8443.evil.example", "https://xgood.example:8443", "https://good.example:8443/x"):
            self.assertEqual(status(origin, **json_type), 403, origin)
        self.assertEqual(node.post(INFO, headers={"Content-Type": "text/plain"}).status, 200, "no browser, any type")

    def test_a_host_that_is_allowed_is_taken(self):
        node = self.node(config={"allowed_hosts": ["agents.example"]})
        self.assertEqual(self.status(request(node, "GET", "/healthz", {"Host": "agents.example"}), node), 200)
        self.assertEqual(self.status(request(node, "GET", "/healthz", {"Host": "xagents.example"}), node), 403)

    def test_with_a_token_every_route_but_the_health_routes_asks_for_it(self):
        node = self.with_token("0123456789abcdef-secret")
        for path in ("/", "/metrics", "/openrpc.json", "/rpc", "/ws", "/nope"):
            answer = node.http("POST" if path == "/rpc" else "GET", path, body=INFO if path == "/rpc" else None)
            self.assertEqual(answer.status, 401, path)
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertEqual([node.get(path).status for path in ("/healthz", "/readyz")], [200, 200])
        self.assertEqual(node.post(INFO, headers={"Authorization": "Bearer 0123456789abcdef-secret"}).status, 200)
        self.assertEqual(node.post(INFO, headers={"Authorization": "bearer 0123456789abcdef-secret"}).status, 200)
        with self.assertRaises(Refused) as refused:
            WebSocket(node)
        self.assertEqual(refused.exception.status, 401)
        WebSocket(node, headers={"Authorization": "Bearer 0123456789abcdef-secret"}).close()

    def test_what_is_almost_the_token_is_401(self):
        node = self.with_token("0123456789abcdef-secret")
        for given in ("Bearer", "Bearer ", "Bearer 0123456789abcdef-secre", "Bearer 0123456789abcdef-secrett", "Bearer 0123456789ABCDEF-SECRET",
                      "Basic 0123456789abcdef-secret", "0123456789abcdef-secret", "Bearer 0123456789abcdef-secret x",
                      "Bearer x 0123456789abcdef-secret", "Bearer0123456789abcdef-secret", "Bearer " + "a" * 10_000):
            self.assertEqual(self.status(request(node, headers={"Authorization": given}, body=INFO), node), 401, given)
        double = "Bearer 0123456789abcdef-secret\r\nAuthorization: Bearer x"
        self.assert_refused(request(node, headers={"Authorization": double}, body=INFO), 400, node=node)
        self.assertEqual(self.status(request(node, target="/rpc?token=0123456789abcdef-secret", body=INFO), node), 401)

    def with_token(self, token):
        path = os.path.join(self.n.directory.name, "token")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(token + "\n")
        return self.node("--token-file", path)

    def test_paths_are_exact_and_others_are_404(self):
        for path in ("/nope", "/rpc/", "//rpc", "/RPC", "/../rpc", "/%72pc", "/rpc%00", "/healthz/..", "/.well-known/x", "/metrics/", "*"):
            self.assertIn(self.status(request(self.n, "POST", path, body=INFO)), (404, 400) if path == "*" else (404,), path)

    def test_a_method_that_a_route_does_not_take_is_405_with_those_it_takes(self):
        for method, path, allowed in (("GET", "/rpc", "POST"), ("PUT", "/rpc", "POST"), ("DELETE", "/rpc", "POST"), ("POST", "/healthz", "GET"),
                                      ("POST", "/ws", "GET"), ("TRACE", "/", "GET"), ("POST", "/metrics", "GET"), ("PATCH", "/openrpc.json", "GET"),
                                      ("get", "/", "GET"), ("FOO", "/rpc", "POST")):
            raw = self.connect()
            raw.send(request(self.n, method, path))
            status, headers, _ = raw.answer()
            self.assertEqual(status, 405, (method, path))
            self.assertIn(allowed, headers["allow"])
        self.assertIn(self.status(f"CONNECT localhost:80 HTTP/1.1\r\nHost: {self.n.address}\r\n\r\n".encode()), (400, 404, 405))

    def test_head_is_get_without_the_body(self):
        raw = self.connect()
        for path in ("/healthz", "/", "/metrics"):
            raw.send(request(self.n, "HEAD", path))
            status, headers, _ = raw.answer(head=True)
            self.assertEqual(status, 200)
            self.assertGreater(int(headers["content-length"]), 0)
        raw.send(request(self.n, "GET", "/healthz"))
        self.assertEqual(raw.answer()[0], 200)

    def test_http_1_0_is_answered_and_closed(self):
        with RawHttp(self.n) as raw:
            raw.send(f"POST /rpc HTTP/1.0\r\nHost: {self.n.address}\r\nContent-Length: {len(INFO)}\r\n\r\n".encode() + INFO)
            self.assertEqual(raw.statuses(), [200])

    def test_a_request_without_host_is_400_whatever_its_version(self):
        for version in (b"1.0", b"1.1"):
            for path in (b"/healthz", b"/metrics", b"/ws"):
                self.assertEqual(self.status(b"GET " + path + b" HTTP/" + version + b"\r\n\r\n"), 400)

    def test_a_header_over_16_kib_is_431(self):
        self.assert_refused(request(self.n, "GET", "/healthz", {"X": "y" * (17 << 10)}), 431)
        self.assert_refused(request(self.n, "GET", "/" + "y" * (17 << 10)), 431)
        self.assert_refused(b"A" * (17 << 10), 400, 431)
        many = {f"X-{n}": "y" for n in range(2000)}
        self.assert_refused(request(self.n, "GET", "/healthz", many), 431)
        self.assertEqual(self.status(request(self.n, "GET", "/healthz", {"X": "y" * (15 << 10)})), 200)


class Slow(Hostile):
    config = {"limits": {"header_time_ms": 500, "idle_time_ms": 700}}

    def test_a_header_that_is_never_finished_is_408(self):
        for start in (b"G", b"POST /rpc HTTP/1.1\r\nHost: x\r\n", b"\r\n" * 3 + b"GET"):
            with RawHttp(self.n) as raw:
                raw.send(start)
                self.assertEqual(raw.statuses(), [408])

    def test_who_says_nothing_is_disconnected(self):
        with RawHttp(self.n) as raw:
            self.assertIn(raw.statuses(), ([], [408]))

    def test_a_header_a_byte_at_a_time_is_408_in_the_end(self):
        with RawHttp(self.n) as raw:
            self.assertTrue(raw.trickle(request(self.n, "GET", "/healthz", {"X": "y" * 500}), 0.05, limit=10))
            self.assertEqual(raw.statuses(), [408])

    def test_a_connection_between_requests_is_closed_when_it_idles(self):
        with RawHttp(self.n) as raw:
            raw.send(request(self.n, body=INFO))
            self.assertEqual(raw.statuses(), [200])

    def test_a_body_a_byte_a_second_is_408_in_the_end(self):
        with RawHttp(self.n) as raw:
            raw.send(request(self.n, headers={"Content-Length": "1000"}))
            self.assertTrue(raw.trickle(b" " * 1000, 0.5, limit=20))
            self.assertEqual(raw.statuses(), [408])

    def test_a_body_that_never_comes_is_408_in_the_end(self):
        with RawHttp(self.n) as raw:
            raw.send(request(self.n, headers={"Content-Length": "1000"}) + INFO)
            self.assertEqual(raw.statuses(), [408])

    def test_who_waits_for_an_answer_is_not_idle(self):
        self.n.create("sleeper", "patience", args={"seconds": 1.5})
        self.assertEqual(self.n.ask("patience", "x"), "x")


class Many(Hostile):
    def test_connections_over_the_limit_get_503_and_may_come_again(self):
        node = self.node(config={"limits": {"connections": 20}})
        node.create("echo", "echo")
        before = node.memory()
        held = [RawHttp(node) for _ in range(20)]
        try:
            for raw in held:
                raw.send(request(node, body=INFO))
                self.assertEqual(raw.answer()[0], 200)
            with RawHttp(node) as raw:
                raw.try_send(request(node, body=INFO))
                status, headers, _ = raw.answer()
                self.assertEqual(status, 503)
                self.assertIn("retry-after", headers)
        finally:
            for raw in held:
                raw.close()
        wait_for(lambda: self.status(request(node, body=INFO), node) == 200, "room again")
        self.assert_well(node, before)

    def test_a_node_that_takes_no_calls_says_when_to_come_back(self):
        node = self.node()
        node.rpc("node.drain")
        answer = node.get("/readyz")
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "1"))

    def test_a_thousand_connections_that_do_nothing_cost_little(self):
        held = [socket.create_connection((self.n.host, self.n.port)) for _ in range(1000)]
        try:
            self.assert_well(self.n, type(self).before)
        finally:
            for one in held:
                one.close()

    def test_clients_that_vanish_in_the_middle_leave_nothing_behind(self):
        whole = request(self.n, body=b'{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"echo","wait_ms":45000,"release":true}}')
        for n in range(300):
            raw = RawHttp(self.n)
            raw.send(whole[:1 + n * len(whole) // 300])
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.close()
        wait_for(lambda: self.n.metrics()["agentd_connections"] == 1, "all others are gone")

    def test_a_node_that_has_said_that_it_listens_lives_on_without_descriptors(self):
        for few in range(3, 16):
            try:
                node = self.node(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few)))
            except AssertionError:
                continue  # too few to listen
            node.send_signal(signal.SIGTERM)
            self.assertEqual(node.wait(), 0, f"with {few}: {node.log()}")

    def test_without_descriptors_it_waits_and_does_not_spin(self):
        node = self.node(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
        node.create("echo", "echo")
        before = node.memory()
        held = [socket.create_connection((node.host, node.port)) for _ in range(100)]
        try:
            began, used = time.monotonic(), node.cpu_seconds()
            wait_for(lambda: time.monotonic() > began + 1.5, "a second and a half of hunger")
            self.assertLess(node.cpu_seconds() - used, 0.5)
            self.assertIsNone(node.process.poll())
        finally:
            for one in held:
                one.close()
        wait_for(lambda: self.status(request(node, body=INFO), node) == 200, "it accepts again")
        self.assert_well(node, before)

    def test_a_flood_of_requests_that_nobody_reads_the_answers_of_is_bounded(self):
        with socket.socket() as flood:
            flood.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            flood.connect((self.n.host, self.n.port))
            flood.settimeout(0.5)
            try:
                for _ in range(2000):
                    flood.sendall(request(self.n, "GET", "/openrpc.json") * 20)
            except OSError:
                pass
            self.assert_well(self.n, type(self).before)



class Gone(SharedNode):
    def test_clients_that_leave_while_they_wait_leave_nothing_behind(self):
        node = self.shared
        agent = node.create("sleeper", args={"seconds": 10**6})
        call = node.call(agent)["call"]
        self.addCleanup(node.rpc, "call.cancel", call=call)
        waits = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "call.get", "params": {"call": call, "wait_ms": 10**9}}).encode()
        for _ in range(50):
            with RawHttp(node) as raw:
                raw.send(request(node, body=waits))
        wait_for(lambda: node.metrics()["agentd_connections"] == 1, "the end of the connections")

    def test_a_client_that_has_ended_its_side_is_answered_when_the_answer_comes_soon(self):
        node = self.shared
        agent = node.create("sleeper", args={"seconds": 0.3})
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "agent.call", "params": {"agent": agent, "input": "x", "wait_ms": 10**6}}).encode()
        with RawHttp(node) as raw:
            raw.send(request(node, body=body))
            raw.socket.shutdown(socket.SHUT_WR)
            _, _, answer = raw.answer()
        self.assertEqual(json.loads(answer)["result"]["value"]["content"], "x")


class LongAnswers(SharedNode):
    def test_a_batch_of_half_a_million_elements_is_refused_as_one(self):
        answer = self.shared.post(b"[" + b",".join([b"1"] * 500_000) + b"]")
        self.assertEqual(answer.status, 200)
        self.assertEqual((answer.json["id"], answer.json["error"]["code"], answer.json["error"]["data"]["limit"]), (None, -32600, "batch"))

    def test_a_batch_of_as_many_elements_as_allowed_is_answered_one_by_one(self):
        answers = self.shared.post(b"[" + b",".join([b"1"] * 20_000) + b"]").json
        self.assertEqual({answer["error"]["code"] for answer in answers}, {-32600})
        self.assertEqual(len(answers), 20_000)


if __name__ == "__main__":
    main()
