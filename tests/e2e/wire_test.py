"""The wire over plain HTTP: JSON-RPC 2.0 to the letter, every method's result, what values mean."""

import hashlib
import json
import re

from support.node import RpcError, SharedNode, curl, main, several_loops
from support.websocket import new_call

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
ULID = re.compile(r"^[0-9A-HJKMNP-TV-Z]{26}$")

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def in_order(entries):
    """What a list must have in its order: of several loops, one comes after the other."""
    return sorted(entries) if several_loops() else list(entries)


class Wire(SharedNode):
    """One node for all; every test makes agents of its own."""

    made = 0

    def setUp(self):
        self.n = self.shared

    def name(self):
        Wire.made += 1
        return f"a{Wire.made}"

    def make(self, type, **members):
        return self.n.create(type, self.name(), **members)

    def raw(self, text):
        """The JSON that a body brings, or None where it brings 204."""
        answer = self.n.post(text)
        if answer.status == 204:
            self.assertEqual(answer.body, b"")
            return None
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers.get_content_type(), "application/json")
        return answer.json

    def assert_refused(self, text, code, id=None):
        answer = self.raw(text)
        self.assertIsInstance(answer, dict, f"{text!r} brought {answer!r}")
        self.assertEqual(set(answer), {"jsonrpc", "id", "error"})
        self.assertEqual(answer["jsonrpc"], "2.0")
        self.assertEqual(answer["error"]["code"], code, f"{text!r} brought {answer}")
        self.assertEqual((type(answer["id"]), answer["id"]), (type(id), id), f"{text!r} brought {answer}")
        kinds = {PARSE_ERROR: "parse_error", INVALID_REQUEST: "invalid_request",
                 METHOD_NOT_FOUND: "method_not_found", INVALID_PARAMS: "invalid_params"}
        self.assertEqual(answer["error"]["data"]["kind"], kinds[code])
        return answer["error"]

    def assert_invalid(self, rpc_method, said=None, /, **params):
        error = self.assert_error("invalid_params", INVALID_PARAMS, self.n.rpc, rpc_method, **params)
        if said:
            self.assertIn(said, error.message)
        return error


class JsonRpc(Wire):
    def test_an_id_of_any_kind_is_echoed_with_its_type(self):
        for id in ('1', '0', '-7', '"a"', '""', '"1"', 'null', '1.5', '12345678901234567890123', '"\\u00e9"', '"é"'):
            with self.subTest(id=id):
                answer = self.n.post('{"jsonrpc":"2.0","id":%s,"method":"node.info"}' % id)
                self.assertEqual(answer.status, 200)
                self.assertIn("result", answer.json)
                echoed, sent = answer.json["id"], json.loads(id)
                self.assertEqual((type(echoed), echoed), (type(sent), sent))

    def test_an_id_is_a_string_a_number_or_null(self):
        for id in ("true", "[1]", "{}"):
            self.assert_refused('{"jsonrpc":"2.0","id":%s,"method":"node.info"}' % id, INVALID_REQUEST)

    def test_the_version_is_the_string_2_0(self):
        for version in ('"jsonrpc":2.0,', '"jsonrpc":"1.0",', '"jsonrpc":null,', ''):
            answer = self.raw('{%s"id":4,"method":"node.info"}' % version)
            self.assertEqual(answer["error"]["code"], INVALID_REQUEST)
            self.assertIn(answer["id"], (4, None))

    def test_what_is_no_json_is_a_parse_error_with_id_null(self):
        for text in ("", " ", "{", "nonsense", '{"jsonrpc":"2.0","id":1,"method":"node.info"', "{]", '{"a":1,}',
                     '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
                     '{"jsonrpc":"2.0","id":1,"method":"node.info"} x',
                     '{"jsonrpc":"2.0","id":1,"method":"node.info"}{"jsonrpc":"2.0","id":2,"method":"node.info"}',
                     '[{"jsonrpc":"2.0","method":"node.info","id":"1"},{"jsonrpc":"2.0","method"]',
                     "{'jsonrpc':'2.0','id':1,'method':'node.info'}", '{"jsonrpc":"2.0","id":01,"method":"node.info"}',
                     '{"jsonrpc":"2.0","id":NaN,"method":"node.info"}', '{"jsonrpc":"2.0","id":"\t","method":"x"}',
                     '{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"x","input":{"content":[1,]}}}'):
            with self.subTest(text=text):
                self.assert_refused(text, PARSE_ERROR)

    def test_json_that_is_no_request_is_an_invalid_request(self):
        for text in ("1", '"a"', "null", "true", "{}", '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","method":1}',
                     '{"jsonrpc":"2.0","method":1,"params":"bar"}', '{"jsonrpc":"2.0","method":null}', '{"foo":"boo"}',
                     '{"jsonrpc":"2.0","method":["node.info"]}'):
            with self.subTest(text=text):
                self.assert_refused(text, INVALID_REQUEST)

    def test_params_are_an_object_or_an_array(self):
        for params in ('"bar"', "1", "true"):
            error = self.raw('{"jsonrpc":"2.0","id":3,"method":"node.info","params":%s}' % params)["error"]
            self.assertIn(error["code"], (INVALID_REQUEST, INVALID_PARAMS))

    def test_an_empty_array_of_params_is_as_no_params(self):
        self.assertIn("result", self.raw('{"jsonrpc":"2.0","id":1,"method":"node.info","params":[]}'))
        self.assertIn("result", self.raw('{"jsonrpc":"2.0","id":1,"method":"node.info","params":{}}'))
        self.assertIn("result", self.raw('{"jsonrpc":"2.0","id":1,"method":"agent.list","params":[]}'))

    def test_params_by_position_are_invalid_params(self):
        self.assert_refused('{"jsonrpc":"2.0","id":1,"method":"agent.get","params":["a"]}', INVALID_PARAMS, 1)
        self.assert_refused('{"jsonrpc":"2.0","id":1,"method":"agent.call","params":["a"]}', INVALID_PARAMS, 1)
        self.assert_refused('{"jsonrpc":"2.0","id":1,"method":"node.info","params":[1]}', INVALID_PARAMS, 1)

    def test_an_unknown_param_is_named_in_the_error(self):
        for method, params in (("node.info", {}), ("node.drain", {}), ("node.stop", {}), ("type.list", {}),
                               ("agent.create", {"type": "echo"}), ("agent.clone", {"agent": "x"}),
                               ("agent.create_many", {"type": "echo", "count": 1, "prefix": "p"}),
                               ("agent.get", {"agent": "x"}), ("agent.list", {}), ("agent.delete", {"agent": "x"}),
                               ("agent.call", {"agent": "x"}), ("call.get", {"call": new_call()}),
                               ("call.cancel", {"call": new_call()}), ("call.release", {"calls": []}),
                               ("call.list", {}), ("rpc.discover", {})):
            with self.subTest(method=method):
                self.assert_invalid(method, "wait_mss", **params, wait_mss=1)

    def test_a_missing_param_is_named_in_the_error(self):
        for method, missing in (("agent.create", "type"), ("agent.clone", "agent"), ("agent.create_many", "count"),
                                ("agent.get", "agent"), ("agent.delete", "agent"), ("agent.call", "agent"),
                                ("call.get", "call"), ("call.cancel", "call"), ("call.release", "calls")):
            with self.subTest(method=method):
                self.assert_invalid(method, missing, **({"type": "echo", "prefix": "p"} if "many" in method else {}))

    def test_an_unknown_or_reserved_method_is_not_found(self):
        for method in ("nope", "", "rpc.foo", "rpc.", "agent.Call", "agent.call ", "agent"):
            with self.subTest(method=method):
                self.assert_refused(json.dumps({"jsonrpc": "2.0", "id": "x", "method": method}), METHOD_NOT_FOUND, "x")

    def test_a_method_may_be_written_with_escapes(self):
        self.assertIn("result", self.raw('{"jsonrpc":"2.0","id":1,"method":"node\\u002einfo"}'))
        self.assertIn("result", self.raw('{"\\u006asonrpc":"2.0","id":1,"me\\u0074hod":"node.info"}'))

    def test_a_notification_is_never_answered(self):
        agent = self.make("counter")
        for text in ('{"jsonrpc":"2.0","method":"node.info"}', '{"jsonrpc":"2.0","method":"nope"}',
                     '{"jsonrpc":"2.0","method":"agent.get","params":{"bad":1}}',
                     '{"jsonrpc":"2.0","method":"node.info","params":[1]}',
                     '[{"jsonrpc":"2.0","method":"nope"},{"jsonrpc":"2.0","method":"node.info"}]',
                     '{"jsonrpc":"2.0","method":"agent.call","params":{"agent":"%s"}}' % agent):
            with self.subTest(text=text):
                self.assertIsNone(self.raw(text))
        self.assertEqual(self.n.ask(agent), 2, "the call that was a notification ran")

    def test_a_notification_that_waits_is_not_waited_for(self):
        agent = self.make("sleeper", args={"seconds": 30})
        self.assertIsNone(self.raw('{"jsonrpc":"2.0","method":"agent.call","params":{"agent":"%s","wait_ms":30000}}' % agent))

    def test_a_stray_response_is_ignored(self):
        self.assertIsNone(self.raw('{"jsonrpc":"2.0","id":1,"result":{}}'))
        self.assertIsNone(self.raw('{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"x"}}'))
        answer = self.raw('[{"jsonrpc":"2.0","id":1,"result":5},{"jsonrpc":"2.0","id":2,"method":"node.info"}]')
        self.assertEqual([one["id"] for one in answer], [2])

    def test_an_empty_batch_is_one_invalid_request(self):
        self.assert_refused("[]", INVALID_REQUEST)
        self.assert_refused(" [ ] ", INVALID_REQUEST)

    def test_each_element_that_is_no_request_has_an_error_of_its_own(self):
        for text, count in (("[1]", 1), ("[1,2,3]", 3), ("[[]]", 1), ("[null]", 1), ('[{"foo":"boo"},"x"]', 2),
                            ('[[{"jsonrpc":"2.0","id":1,"method":"node.info"}]]', 1)):
            with self.subTest(text=text):
                answer = self.raw(text)
                self.assertIsInstance(answer, list)
                self.assertEqual([(one["id"], one["error"]["code"]) for one in answer], [(None, INVALID_REQUEST)] * count)

    def test_the_batch_of_the_specification_is_answered_as_it_says(self):
        agent = self.make("echo")
        answer = self.raw("""[
            {"jsonrpc": "2.0", "method": "agent.call", "params": {"agent": "%s", "input": 1, "wait_ms": 45000}, "id": "1"},
            {"jsonrpc": "2.0", "method": "agent.call", "params": {"agent": "%s", "input": 7}},
            {"jsonrpc": "2.0", "method": "node.info", "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "type.list", "id": "9"}]""" % (agent, agent))
        self.assertEqual(len(answer), 5)
        by_id = {one["id"]: one for one in answer}
        self.assertEqual(set(by_id), {"1", "2", None, "5", "9"})
        self.assertEqual(by_id["1"]["result"]["value"]["content"], 1)
        self.assertEqual(by_id[None]["error"]["code"], INVALID_REQUEST)
        self.assertEqual(by_id["5"]["error"]["code"], METHOD_NOT_FOUND)
        self.assertEqual(self.n.rpc("agent.get", agent=agent)["calls"], 2)

    def test_an_id_may_come_twice_in_a_batch(self):
        answer = self.raw('[{"jsonrpc":"2.0","id":1,"method":"node.info"},{"jsonrpc":"2.0","id":1,"method":"nope"}]')
        self.assertEqual(sorted("result" in one for one in answer), [False, True])
        self.assertEqual([one["id"] for one in answer], [1, 1])

    def test_a_member_that_comes_twice_in_the_envelope_is_an_invalid_request(self):
        for text in ('{"jsonrpc":"2.0","id":1,"id":2,"method":"node.info"}',
                     '{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"node.info"}',
                     '{"jsonrpc":"2.0","id":1,"method":"node.info","method":"node.stop"}',
                     '{"jsonrpc":"2.0","id":1,"method":"node.info","params":{},"params":{}}',
                     '{"jsonrpc":"2.0","id":1,"method":"node.info","m\\u0065thod":"node.stop"}'):
            with self.subTest(text=text):
                error = self.raw(text)["error"]
                self.assertEqual(error["code"], INVALID_REQUEST)

    def test_a_param_that_comes_twice_is_an_error(self):
        agent = self.make("counter")
        for params in ('"agent":"%s","agent":"%s"' % (agent, agent), '"agent":"%s","input":1,"inp\\u0075t":2' % agent,
                       '"agent":"%s","input":{"content":1,"content":2}' % agent,
                       '"agent":"%s","input":{"content":1,"name":"a","name":"b"}' % agent):
            with self.subTest(params=params):
                answer = self.raw('{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{%s,"wait_ms":45000}}' % params)
                self.assertIn("error", answer)
                self.assertIn(answer["error"]["code"], (INVALID_REQUEST, INVALID_PARAMS))
        self.assertEqual(self.n.rpc("agent.get", agent=agent)["calls"], 0, "none of them ran")

    def test_a_member_that_comes_twice_in_args_is_invalid_params(self):
        for args in ('{"start":1,"start":2}', '{"start":1,"st\\u0061rt":1}', '{"x":[{"y":1,"y":1}]}'):
            error = self.raw('{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"counter","args":%s}}' % args)["error"]
            self.assertEqual(error["code"], INVALID_PARAMS)
            self.assertIn("twice", error["message"])

    def test_white_space_around_a_request_does_not_matter(self):
        self.assertIn("result", self.raw(' \r\n\t{ "jsonrpc" : "2.0" , "id" : 1 , "method" : "node.info" }\n '))

    def test_an_error_says_what_where_and_whether_to_retry(self):
        error = self.assert_error("agent_not_found", -32010, self.n.rpc, "agent.get", agent="nobody")
        self.assertIn("nobody", error.message)
        self.assertFalse(error.data["retryable"])
        self.assertLessEqual(set(error.data), {"kind", "retryable", "call", "agent", "node", "cause", "elided"})


class Methods(Wire):
    def test_node_info_tells_what_this_node_is(self):
        info = self.n.rpc("node.info")
        self.assertLessEqual({"name", "version", "host", "port", "pid", "uptime_s", "ready", "agents", "calls",
                              "types", "limits", "boot"}, set(info))
        self.assertEqual((info["host"], info["port"], info["pid"]), ("127.0.0.1", self.n.port, self.n.pid))
        self.assertIs(info["ready"], True)
        self.assertLessEqual({"pending", "running", "settled"}, set(info["calls"]))
        self.assertLessEqual({"echo", "counter", "sleeper", "transcript", "failer", "burner", "forwarder"},
                             set(info["types"]))
        self.assertIsInstance(info["limits"], dict)

    def test_node_info_counts_agents_and_calls(self):
        node = self.node()
        node.create("sleeper", "slow", args={"seconds": 60})
        node.create("echo", "quick")
        node.ask("quick", 1)
        calls = [node.call("slow")["call"] for _ in range(3)]
        node.wait_state(calls[0], "running")
        info = node.rpc("node.info")
        self.assertEqual(info["agents"], 2)
        self.assertEqual(info["calls"], {"pending": 2, "running": 1, "settled": 1})

    def test_type_list_describes_each_type(self):
        types = {one["type"]: one for one in self.n.rpc("type.list")["types"]}
        self.assertEqual(sorted(types), sorted(self.n.rpc("node.info")["types"]))
        for one in types.values():
            self.assertLessEqual({"type", "description", "args_schema", "methods", "source"}, set(one))
            self.assertLessEqual({"reply", "observe"}, set(one["methods"]))
        self.assertEqual(types["counter"]["args_schema"]["type"], "object")

    def test_agent_create_answers_where_the_agent_is(self):
        made = self.n.rpc("agent.create", type="counter", agent=self.name(), args={"start": 5})
        self.assertEqual(made, {"agent": made["agent"], "type": "counter", "name": "counter",
                                "host": "127.0.0.1", "port": self.n.port})

    def test_an_agent_without_id_gets_one_from_its_type(self):
        made = self.n.rpc("agent.create", type="echo")
        self.assertRegex(made["agent"], r"^echo-[A-Za-z0-9]{8}$")
        self.assertNotEqual(made["agent"], self.n.rpc("agent.create", type="echo")["agent"])

    def test_the_name_is_the_one_given_or_that_of_the_args_or_the_type(self):
        self.assertEqual(self.n.rpc("agent.create", type="echo", name="Ann")["name"], "Ann")
        self.assertEqual(self.n.rpc("agent.create", type="transcript", args={"name": "Bob"})["name"], "Bob")
        self.assertEqual(self.n.rpc("agent.create", type="transcript", args={"name": "Bob"}, name="C")["name"], "C")
        self.assertEqual(self.n.rpc("agent.create", type="echo")["name"], "echo")

    def test_the_same_agent_again_is_the_same_answer_and_another_is_a_conflict(self):
        id = self.name()
        first = self.n.rpc("agent.create", type="counter", agent=id, args={"start": 5})
        self.assertEqual(self.n.ask(id), 6)
        self.assertEqual(self.n.rpc("agent.create", type="counter", agent=id, args={"start": 5}), first)
        self.assertEqual(self.n.ask(id), 7, "it is the same agent still")
        self.assert_error("conflict", -32018, self.n.rpc, "agent.create", type="counter", agent=id, args={"start": 6})
        self.assert_error("conflict", -32018, self.n.rpc, "agent.create", type="echo", agent=id)

    def test_a_type_that_is_not_there_brings_the_near_names(self):
        error = self.assert_error("type_not_found", -32011, self.n.rpc, "agent.create", type="ecko")
        self.assertIn("echo", error.message)

    def test_args_that_a_type_does_not_take_are_refused_by_name(self):
        for type, args in (("echo", {"colour": 1}), ("counter", {"start": 1, "colour": 1}),
                           ("sleeper", {"seconds": 1, "colour": 1}), ("transcript", {"name": "a", "colour": 1}),
                           ("failer", {"colour": 1}), ("burner", {"iterations": 1, "colour": 1})):
            with self.subTest(type=type):
                self.assert_invalid("agent.create", "colour", type=type, args=args)
        self.assert_invalid("agent.create", "seconds", type="sleeper")
        self.assert_invalid("agent.create", "start", type="counter", args={"start": "one"})
        self.assert_invalid("agent.create", type="counter", args=[1])

    def test_options_that_do_not_exist_are_refused_by_name(self):
        self.assert_invalid("agent.create", "colour", type="echo", options={"colour": 1})
        self.assert_invalid("agent.create", "ordering", type="echo", options={"ordering": "random"})
        self.assert_invalid("agent.create", "deadline_ms", type="echo", options={"deadline_ms": 0})

    def test_an_agent_id_is_1_to_128_of_its_characters(self):
        self.n.rpc("agent.create", type="echo", agent="a" * 128)
        self.n.rpc("agent.create", type="echo", agent="A.b_c-9")
        for id in ("", "a" * 129, "a b", "a/b", "é", "a\u0000", 5, None):
            with self.subTest(id=id):
                self.assert_invalid("agent.create", type="echo", agent=id)

    def test_agent_create_many_makes_them_all(self):
        prefix = self.name()
        made = self.n.rpc("agent.create_many", type="counter", count=1000, prefix=prefix, args={"start": 3})
        self.assertEqual(made, {"count": 1000, "first": f"{prefix}-0", "last": f"{prefix}-999"})
        self.assertEqual(self.n.ask(f"{prefix}-0"), 4)
        self.assertEqual(self.n.ask(f"{prefix}-999", 10), 13)
        self.assert_error("agent_not_found", -32010, self.n.rpc, "agent.get", agent=f"{prefix}-1000")
        for count in (0, -1, 1.5, "2"):
            self.assert_invalid("agent.create_many", "count", type="echo", count=count, prefix="p")

    def test_agent_create_many_stops_at_the_first_that_cannot_be_made(self):
        prefix = self.name()
        self.n.rpc("agent.create", type="counter", agent=f"{prefix}-5")
        self.assert_error("conflict", -32018, self.n.rpc, "agent.create_many", type="echo", count=1000, prefix=prefix)
        self.assertEqual(self.n.ask(f"{prefix}-4", 1), 1)
        # Each loop stops at the first of its own.
        if not several_loops():
            self.assert_error("agent_not_found", -32010, self.n.rpc, "agent.get", agent=f"{prefix}-6")

    def test_a_clone_has_the_state_and_goes_its_own_way(self):
        agent, copy = self.make("counter"), self.name()
        self.n.ask(agent, 41)
        made = self.n.rpc("agent.clone", agent=agent, **{"as": copy})
        self.assertEqual(made, {"agent": copy, "type": "counter", "name": "counter",
                                "host": "127.0.0.1", "port": self.n.port})
        self.assertEqual(self.n.ask(copy), 42)
        self.assertEqual(self.n.ask(agent, 100), 141)
        self.assertEqual(self.n.ask(copy, 0), 42)
        self.assertRegex(self.n.rpc("agent.clone", agent=agent)["agent"], r"^counter-[A-Za-z0-9]{8}$")
        self.assert_error("agent_not_found", -32010, self.n.rpc, "agent.clone", agent="nobody")

    def test_a_clone_does_not_have_the_mailbox(self):
        agent, copy = self.make("sleeper", args={"seconds": 0.3}), self.name()
        for _ in range(3):
            self.n.call(agent)
        self.n.rpc("agent.clone", agent=agent, **{"as": copy})
        got = self.n.rpc("agent.get", agent=copy)
        self.assertEqual((got["mailbox"], got["calls"]), (0, 0))

    def test_agent_get_shows_what_save_gives(self):
        agent = self.make("counter", args={"start": 2}, name="Cora")
        self.n.ask(agent, 5)
        got = self.n.rpc("agent.get", agent=agent)
        self.assertLessEqual({"agent", "type", "name", "args", "state", "mailbox", "calls", "created_at"}, set(got))
        self.assertEqual((got["agent"], got["type"], got["name"]), (agent, "counter", "Cora"))
        self.assertEqual(got["args"], {"start": 2})
        self.assertIn(7, got["state"].values())
        self.assertEqual((got["mailbox"], got["calls"]), (0, 1))
        self.assertRegex(got["created_at"], TIME)

    def test_agent_list_pages_over_all_and_names_none_twice(self):
        node = self.node()
        node.rpc("agent.create_many", type="echo", count=250, prefix="e")
        node.rpc("agent.create_many", type="counter", count=30, prefix="c")
        for filter, wanted in (({}, 280), ({"type": "echo"}, 250), ({"type": "counter"}, 30), ({"type": "failer"}, 0)):
            seen, cursor = [], {}
            while True:
                page = node.rpc("agent.list", limit=70, **filter, **cursor)
                self.assertLessEqual(len(page["agents"]), 70)
                seen += [one["agent"] for one in page["agents"]]
                if "next_cursor" not in page:
                    break
                cursor = {"cursor": page["next_cursor"]}
            self.assertEqual((len(seen), len(set(seen))), (wanted, wanted), filter)

    def test_a_list_goes_on_though_the_entries_of_its_last_page_have_gone(self):
        node = self.node()
        node.create("echo", "e")
        calls = [node.call("e", n, wait_ms=45000)["call"] for n in range(20)]
        node.rpc("agent.create_many", type="echo", count=20, prefix="a")
        for method, whole, gone, name in (
                ("call.list", calls, lambda one: node.rpc("call.release", calls=[one]), "call"),
                ("agent.list", ["e"] + [f"a-{n}" for n in range(20)], lambda one: node.rpc("agent.delete", agent=one), "agent")):
            seen, cursor = [], {}
            while True:
                page = node.rpc(method, limit=6, **cursor)
                seen += (entries := [one[name] for one in page[method.split(".")[0] + "s"]])
                for one in entries:
                    gone(one)
                if "next_cursor" not in page:
                    break
                cursor = {"cursor": page["next_cursor"]}
            self.assertEqual(in_order(seen), in_order(whole))

    def test_a_cursor_of_a_former_life_is_invalid(self):
        cursors = []
        for _ in range(2):
            node = self.node()
            node.rpc("agent.create_many", type="echo", count=3, prefix="a")
            cursors.append(node.rpc("agent.list", limit=1)["next_cursor"])
        self.assert_error("invalid_params", -32602, node.rpc, "agent.list", cursor=cursors[0])
        self.assertEqual(len(node.rpc("agent.list", cursor=cursors[1])["agents"]), 2)

    def test_a_list_needs_a_sound_limit_and_cursor(self):
        for method in ("agent.list", "call.list"):
            self.assert_invalid(method, "limit", limit=0)
            self.assert_invalid(method, "limit", limit="5")
            self.assert_invalid(method, "cursor", cursor="nowhere")
        self.assert_invalid("call.list", "state", state="gone")

    def test_a_deleted_agent_finishes_its_running_call_and_fails_the_queued(self):
        agent = self.make("sleeper", args={"seconds": 0.5})
        running, queued = self.n.call(agent, "a")["call"], self.n.call(agent, "b")["call"]
        self.n.wait_state(running, "running")
        self.assertEqual(self.n.rpc("agent.delete", agent=agent), {})
        failed = self.n.outcome(queued)
        self.assertEqual((failed["state"], failed["error"]["code"]), ("failed", -32024))
        self.assertEqual(failed["error"]["data"]["kind"], "agent_deleted")
        self.assertEqual(self.n.outcome(running)["value"]["content"], "a")
        self.assert_error("agent_not_found", -32010, self.n.rpc, "agent.get", agent=agent)
        self.assert_error("agent_not_found", -32010, self.n.rpc, "agent.delete", agent=agent)
        with self.assertRaises(RpcError):
            self.n.call(agent, "c")

    def test_agent_call_answers_at_once_with_a_placeholder(self):
        agent = self.make("sleeper", args={"seconds": 60})
        result = self.n.call(agent, "x")
        self.assertEqual(set(result), {"call", "state", "placeholder"})
        self.assertIn(result["state"], ("queued", "running"))
        self.assertRegex(result["call"], ULID)
        self.assertEqual(result["placeholder"],
                         {"$placeholder": {"host": "127.0.0.1", "port": self.n.port, "call": result["call"]}})

    def test_wait_ms_brings_the_whole_message(self):
        agent = self.make("echo", name="Echo")
        result = self.n.call(agent, "x", wait_ms=45000)
        self.assertEqual(set(result), {"call", "state", "placeholder", "value"})
        self.assertEqual(result["state"], "done")
        value = result["value"]
        self.assertEqual((value["name"], value["role"], value["content"]), ("Echo", "assistant", "x"))
        self.assertLessEqual(set(value), {"id", "name", "role", "content", "metadata", "timestamp"})

    def test_wait_ms_that_runs_out_is_no_error(self):
        agent = self.make("sleeper", args={"seconds": 60})
        result = self.n.call(agent, "x", wait_ms=30)
        self.assertIn(result["state"], ("queued", "running"))
        self.assertNotIn("value", result)
        got = self.n.rpc("call.get", call=result["call"], wait_ms=30)
        self.assertEqual(got["state"], "running")
        self.assertNotIn("value", got)

    def test_a_failed_call_is_an_error_for_who_waits_and_told_by_call_get(self):
        agent = self.make("failer")
        error = self.assert_error("agent_failed", -32016, self.n.ask, agent, "no luck today")
        self.assertEqual(error.message, "no luck today")
        self.assertEqual((error.data["agent"], error.data["node"]), (agent, self.n.address))
        got = self.n.outcome(error.data["call"])
        self.assertEqual(got["state"], "failed")
        self.assertEqual(got["error"], error.error)
        self.assertNotIn("value", got)

    def test_a_released_wait_is_answered_and_forgotten(self):
        agent, call = self.make("echo"), new_call()
        self.assertEqual(self.n.ask(agent, "x", call=call, release=True), "x")
        self.assert_error("call_not_found", -32012, self.n.rpc, "call.get", call=call)
        self.assert_error("call_not_found", -32012, self.n.ask, agent, "x", call=call)

    def test_a_call_released_while_it_runs_is_forgotten_when_it_settles(self):
        agent, call = self.make("sleeper", args={"seconds": 0.2}), new_call()
        self.n.call(agent, "x", call=call, wait_ms=1, release=True)
        other = self.n.ask(agent, "y")
        self.assertEqual(other, "y")
        self.assert_error("call_not_found", -32012, self.n.rpc, "call.get", call=call)

    def test_a_placeholder_can_be_pasted_into_the_next_call(self):
        slow, agent = self.make("sleeper", args={"seconds": 0.1}), self.make("echo")
        first = self.n.call(slow, {"content": {"deep": [1, 2]}})
        self.assertEqual(self.n.ask(agent, first["placeholder"]), {"deep": [1, 2]})

    def test_curl_needs_no_header_of_its_own(self):
        agent = self.make("sleeper", args={"seconds": 0.1})
        first = json.loads(curl(f"localhost:{self.n.port}/rpc", "-d", json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "agent.call", "params": {"agent": agent, "input": "hi"}})))
        second = json.loads(curl(f"127.0.0.1:{self.n.port}/rpc", "-d", json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "agent.call",
             "params": {"agent": agent, "input": first["result"]["placeholder"], "wait_ms": 45000}})))
        self.assertEqual(second["result"]["value"]["content"], "hi")

    def test_call_get_tells_agent_state_and_times(self):
        agent = self.make("echo")
        call = self.n.call(agent, 1, wait_ms=45000)["call"]
        got = self.n.rpc("call.get", call=call)
        self.assertLessEqual({"call", "agent", "state", "value", "placeholder", "timing"}, set(got))
        self.assertEqual((got["call"], got["agent"], got["state"]), (call, agent, "done"))
        self.assertEqual(got["placeholder"]["$placeholder"]["call"], call)
        times = [got["timing"][name] for name in ("accepted", "ready", "started", "settled")]
        self.assertEqual(set(got["timing"]), {"accepted", "ready", "started", "settled"})
        for time in times:
            self.assertRegex(time, TIME)
        self.assertEqual(times, sorted(times))

    def test_a_time_that_is_not_reached_is_null(self):
        slow, agent = self.make("sleeper", args={"seconds": 60}), self.make("echo")
        running = self.n.call(slow, 1)
        waiting = self.n.call(agent, running["placeholder"])["call"]
        queued = self.n.call(slow, 2)["call"]
        self.n.wait_state(running["call"], "running")
        states = {call: self.n.rpc("call.get", call=call) for call in (running["call"], waiting, queued)}
        self.assertEqual([one["state"] for one in states.values()], ["running", "waiting", "queued"])
        reached = [[one["timing"][name] is not None for name in ("accepted", "ready", "started", "settled")]
                   for one in states.values()]
        self.assertEqual(reached, [[True, True, True, False], [True, False, False, False], [True, True, False, False]])

    def test_call_get_waits(self):
        agent = self.make("sleeper", args={"seconds": 0.2})
        call = self.n.call(agent, "x")["call"]
        self.assertEqual(self.n.rpc("call.get", call=call, wait_ms=45000)["value"]["content"], "x")

    def test_call_release_counts_what_it_released(self):
        agent = self.make("echo")
        calls = [self.n.call(agent, n, wait_ms=45000)["call"] for n in range(3)]
        self.assertEqual(self.n.rpc("call.release", calls=[*calls, new_call()]), {"released": 3})
        self.assertEqual(self.n.rpc("call.release", calls=calls), {"released": 0})
        self.assertEqual(self.n.rpc("call.release", calls=[]), {"released": 0})
        self.assert_error("call_not_found", -32012, self.n.rpc, "call.get", call=calls[0])
        self.assert_invalid("call.release", "calls", calls="x")
        self.assert_invalid("call.release", "calls", calls=["short"])

    def test_call_list_filters_and_pages(self):
        node = self.node()
        node.create("echo", "e")
        node.create("sleeper", "s", args={"seconds": 60})
        done = [node.call("e", n, wait_ms=45000)["call"] for n in range(25)]
        slow = [node.call("s", n)["call"] for n in range(5)]
        node.wait_state(slow[0], "running")

        def listed(**filter):
            calls, cursor = [], {}
            while True:
                page = node.rpc("call.list", limit=7, **filter, **cursor)
                self.assertLessEqual(len(page["calls"]), 7)
                calls += page["calls"]
                if "next_cursor" not in page:
                    return calls
                cursor = {"cursor": page["next_cursor"]}

        self.assertEqual(in_order(one["call"] for one in listed()), in_order(done + slow))
        self.assertEqual([one["call"] for one in listed(agent="s")], slow)
        self.assertEqual([one["call"] for one in listed(state="done")], done)
        self.assertEqual([one["call"] for one in listed(agent="s", state="running")], slow[:1])
        self.assertEqual(listed(agent="s", state="done"), [])

    def test_call_cancel_answers_call_and_state(self):
        agent = self.make("sleeper", args={"seconds": 60})
        call = self.n.call(agent)["call"]
        self.assertEqual(self.n.rpc("call.cancel", call=call), {"call": call, "state": "cancelled"})
        done = self.n.call(self.make("echo"), 1, wait_ms=45000)["call"]
        self.assertEqual(self.n.rpc("call.cancel", call=done), {"call": done, "state": "done"})
        self.assert_error("call_not_found", -32012, self.n.rpc, "call.cancel", call=new_call())

    def test_a_call_id_is_16_to_64_of_its_characters(self):
        agent = self.make("echo")
        for call in ("a" * 16, "-_" * 32, "01J9ZK2V6Q0000000000000000"):
            self.assertEqual(self.n.call(agent, 1, call=call, wait_ms=45000)["call"], call)
        for call in ("", "a" * 15, "a" * 65, "a" * 15 + ".", "a" * 15 + " ", 5):
            with self.subTest(call=call):
                self.assert_invalid("agent.call", "call", agent=agent, call=call)

    def test_params_of_the_wrong_type_are_refused_with_their_value(self):
        agent = self.make("echo")
        for name, value in (("wait_ms", "5"), ("wait_ms", -1), ("wait_ms", 1.5), ("deadline_ms", 0), ("deadline_ms", -5),
                            ("deadline_ms", "x"), ("release", 1), ("release", "true"), ("settled", "never"),
                            ("caller", ""), ("caller", "a b"), ("caller", "c" * 161), ("path", "x"), ("path", [1]),
                            ("method", 5), ("wait_ms", 10**30), ("wait_ms", True), ("wait_ms", None)):
            with self.subTest(name=name, value=value):
                self.assert_invalid("agent.call", name, agent=agent, **{name: value})
        self.assertEqual(self.n.rpc("agent.get", agent=agent)["calls"], 0)

    def test_what_only_a_websocket_can_do_is_not_supported_over_http(self):
        self.assert_error("not_supported", -32026, self.n.rpc, "call.subscribe", calls=[])

    def test_rpc_discover_is_an_openrpc_document_of_all_methods(self):
        document = self.n.rpc("rpc.discover")
        self.assertEqual(document["openrpc"], "1.3.2")
        self.assertLessEqual({"title", "version"}, set(document["info"]))
        names = [method["name"] for method in document["methods"]]
        self.assertLessEqual({"node.info", "node.drain", "node.stop", "type.list", "agent.create", "agent.create_many",
                              "agent.clone", "agent.get", "agent.list", "agent.delete", "agent.call", "call.get",
                              "call.cancel", "call.release", "call.list", "call.subscribe"}, set(names))
        self.assertEqual(len(names), len(set(names)))
        for method in document["methods"]:
            self.assertIn("result", method)
            for param in method["params"]:
                self.assertLessEqual({"name", "schema"}, set(param))
        self.assertEqual(self.n.get("/openrpc.json").json, document)

    def test_the_other_routes_answer(self):
        self.assertEqual([self.n.get(path).status for path in ("/", "/healthz", "/readyz", "/metrics", "/openrpc.json")],
                         [200] * 5)
        self.assertGreater(self.n.metrics()["agentd_http_requests_total"], 0)


class Types(Wire):
    def test_a_method_that_an_agent_does_not_have_brings_those_it_has(self):
        error = self.assert_invalid("agent.call", agent=self.make("echo"), method="sing", wait_ms=45000)
        self.assertIn("reply", error.message)
        self.assertIn("observe", error.message)

    def test_observe_takes_a_message_and_answers_null(self):
        for type, args in (("echo", {}), ("counter", {}), ("transcript", {"name": "T"}), ("failer", {}),
                           ("sleeper", {"seconds": 0})):
            agent = self.make(type, args=args)
            self.assertIsNone(self.n.ask(agent, "note this", method="observe"), type)

    def test_echo_answers_the_inputs_content(self):
        agent = self.make("echo")
        for content in ("x", 5, True, [1, [2]], {"a": None}, "", {}, []):
            self.assertEqual(self.n.ask(agent, {"content": content}), content)
        self.assertIsNone(self.n.ask(agent))

    def test_counter_adds(self):
        agent = self.make("counter", args={"start": 10})
        self.assertEqual([self.n.ask(agent, 5), self.n.ask(agent), self.n.ask(agent, {"content": None}),
                          self.n.ask(agent, -20)], [15, 16, 17, -3])
        for wrong in ("5", 1.5, [1], True, {"content": {"n": 1}}):
            self.assert_error("agent_failed", -32016, self.n.ask, agent, wrong)
        self.assertEqual(self.n.ask(agent, 0), -3)

    def test_counter_does_not_wrap_around(self):
        agent = self.make("counter", args={"start": 2**63 - 1})
        self.assert_error("agent_failed", -32016, self.n.ask, agent, 1)
        self.assertEqual(self.n.ask(agent, -1), 2**63 - 2)

    def test_transcript_digests_each_call_onto_the_one_before(self):
        agent, digest = self.make("transcript", args={"name": "T"}), ""
        inputs = ["one", {"content": {"b": [1, {"z": None, "a": True}], "a": "ü\n\"\\/", "ä": "\U0001f600"}}, None,
                  ["x", {"content": [1]}], {"content": None}, [], 12345678901234567890, {"content": "\u0001\u007f\u2028"}]
        contents = ["one", inputs[1]["content"], None, ["x", [1]], None, [], 12345678901234567890, "\u0001\u007f\u2028"]
        for count, (input, content) in enumerate(zip(inputs, contents), 1):
            with self.subTest(content=content):
                digest = sha256(digest + canonical(content))
                self.assertEqual(self.n.ask(agent, input), {"by": "T", "n": count, "digest": digest})

    def test_failer_fails_with_its_content(self):
        agent = self.make("failer")
        self.assertEqual(self.assert_error("agent_failed", -32016, self.n.ask, agent, "ü \"x\"").message, "ü \"x\"")
        self.assertIn("17", self.assert_error("agent_failed", -32016, self.n.ask, agent, {"content": {"a": 17}}).message)

    def test_burner_chains_sha_256(self):
        self.assertEqual(self.n.ask(self.make("burner", args={"iterations": 1}), {"content": {"b": 1, "a": "x"}}),
                         sha256('{"a":"x","b":1}'))
        raw = in_hex = b'"x"'
        for _ in range(1000):
            raw, in_hex = hashlib.sha256(raw).digest(), hashlib.sha256(in_hex).hexdigest().encode()
        self.assertIn(self.n.ask(self.make("burner", args={"iterations": 1000}), "x"), (raw.hex(), in_hex.decode()))

    def test_forwarder_answers_what_the_other_answers(self):
        counter = self.make("counter")
        to = {"$agent": {"host": "127.0.0.1", "port": self.n.port, "agent": counter}}
        forwarder = self.make("forwarder", args={"to": to})
        self.assertEqual([self.n.ask(forwarder, 5), self.n.ask(forwarder, 6), self.n.ask(counter, 0)], [5, 11, 11])

    def test_forwarder_fails_with_the_others_error_as_the_cause(self):
        failer = self.make("failer")
        to = {"$agent": {"host": "127.0.0.1", "port": self.n.port, "agent": failer}}
        forwarder = self.make("forwarder", args={"to": to})
        error = self.assert_error("agent_failed", -32016, self.n.ask, forwarder, "bad day")
        self.assertEqual(error.data["agent"], forwarder)
        cause = error.data["cause"]
        self.assertEqual((cause["code"], cause["message"]), (-32016, "bad day"))
        self.assertEqual((cause["data"]["agent"], cause["data"]["node"]), (failer, self.n.address))


class Values(Wire):
    """What an input means."""

    def content(self, text):
        """The content, as text, that `echo` answers to an input given as text."""
        agent = self.make("echo")
        answer = self.n.post('{"jsonrpc":"2.0","id":1,"method":"agent.call","params":'
                             '{"agent":"%s","wait_ms":45000,"input":%s}}' % (agent, text))
        self.assertNotIn("error", answer.json, text[:200])
        found = re.search(r'"content":(.*)', answer.body.decode(), re.DOTALL).group(1)
        return found

    def test_content_passes_unopened_and_unchanged(self):
        for content in ("123456789012345678901234567890", "-0", "1e400", "-1E+400", "0.1000", "1.0", "1E5", "1e-999",
                        "3.141592653589793238462643383279502884197", '"\\u0041\\/\\n"', '"\\ud83d\\ude00"', '"\U0001f600"',
                        '{"b":1,"a":2}', '{"a":1,"a":2}', '[1.0,2.50,{"x":1e0}]', '""', '"\\u0000"', '"\u2028"',
                        "18446744073709551616", "0.30000000000000004e-310"):
            with self.subTest(content=content):
                self.assertTrue(self.content('{"content":%s}' % content).startswith(content),
                                self.content('{"content":%s}' % content)[:100])
        for content in ("123456789012345678901234567890", "0.1000", "1e400", '"\\u0041"'):
            self.assertTrue(self.content(content).startswith(content), "shorthand too")

    def test_content_is_unchanged_on_its_way_through_placeholders(self):
        echo = self.make("echo")
        text = '{"big":123456789012345678901234567890,"e":1e400,"f":0.1000,"s":"\\u0041\\ud83d\\ude00"}'
        first = self.n.post('{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"%s","input":{"content":%s}}}'
                            % (echo, text)).json["result"]["placeholder"]
        for input, expected in ((json.dumps(first), text), ("[%s,1.50]" % json.dumps(first), "[%s,1.50]" % text),
                                ('{"content":{"x":%s}}' % json.dumps(first), '{"x":%s}' % text)):
            self.assertTrue(self.content(input).startswith(expected), self.content(input)[:200])

    def test_what_is_no_message_is_shorthand_for_one(self):
        agent = self.make("echo")
        for input in ("hi", "", 5, 0, -1.5, True, False, {}, {"a": 1}, {"name": "x"}, {"a": {"content": 1}}):
            self.assertEqual(self.n.ask(agent, input), input)

    def test_an_array_is_a_list_of_inputs(self):
        agent, first = self.make("echo"), self.make("sleeper", args={"seconds": 0.1})
        placeholder = self.n.call(first, {"content": ["slow"]})["placeholder"]
        self.assertEqual(self.n.ask(agent, [placeholder, 1, {"content": {"a": 2}}, "x", [3, [4]], {"b": 5}]),
                         [["slow"], 1, {"a": 2}, "x", [3, [4]], {"b": 5}])
        self.assertEqual(self.n.ask(agent, []), [])
        self.assertEqual(self.n.ask(agent, [[]]), [[]])

    def test_a_join_of_one_is_an_array_still(self):
        agent = self.make("echo")
        placeholder = self.n.call(agent, 7)["placeholder"]
        self.assertEqual(self.n.ask(agent, [placeholder]), [7])

    def test_null_is_no_input(self):
        self.assertEqual(self.n.ask(self.make("counter"), None), 1)
        agent = self.make("echo")
        self.assertIsNone(self.n.ask(agent, None))
        self.assertEqual(self.n.ask(agent, [None, 1]), [None, 1])

    def test_a_message_may_have_its_members_and_no_others(self):
        agent = self.make("echo")
        self.assertEqual(self.n.ask(agent, {"content": 1, "name": "n", "role": "user", "metadata": {"k": [1]},
                                            "id": "m1", "timestamp": "2024-01-01T00:00:00Z"}), 1)
        for extra in ("contents", "$placeholder", "x", ""):
            with self.subTest(extra=extra):
                error = self.assert_invalid("agent.call", agent=agent, input={"content": 1, extra: 2})
                self.assertIn(extra, error.message)
        self.assert_invalid("agent.call", agent=agent, input={"content": 1, "name": 5})
        self.assert_invalid("agent.call", agent=agent, input=[{"content": 1, "x": 2}])

    def test_a_placeholder_inside_content_is_replaced_by_the_content(self):
        agent = self.make("echo")
        first = self.n.call(agent, {"content": {"v": [1]}})["placeholder"]
        self.assertEqual(self.n.ask(agent, {"content": {"a": [first, {"b": first}], "c": first}}),
                         {"a": [{"v": [1]}, {"b": {"v": [1]}}], "c": {"v": [1]}})
        self.assertEqual(self.n.ask(agent, {"content": first}), {"v": [1]})
        self.assertEqual(self.n.ask(agent, {"shorthand": first}), {"shorthand": {"v": [1]}})
        self.assertEqual(self.n.ask(agent, [[first]]), [[{"v": [1]}]])

    def test_only_an_object_with_no_other_member_is_a_placeholder(self):
        agent = self.make("echo")
        first = self.n.call(agent, 1)["placeholder"]
        for data in ({**first, "x": 1}, {"x": 1, **first}):
            self.assertEqual(self.n.ask(agent, data), data)
            self.assertEqual(self.n.ask(agent, {"content": [data]}), [data])

    def test_a_malformed_placeholder_is_invalid_params(self):
        agent, good = self.make("echo"), {"host": "127.0.0.1", "port": self.n.port, "call": new_call()}
        for bad in (5, None, {}, "x", [good], {**good, "x": 1}, {**good, "port": "1"}, {**good, "port": 0},
                    {**good, "port": 65536}, {**good, "port": -1}, {**good, "call": "short"}, {**good, "host": ""},
                    {**good, "host": 5}, {"host": "a", "port": 1}, {**good, "host": "a b"}, {**good, "host": "a\n"}):
            with self.subTest(bad=bad):
                self.assert_invalid("agent.call", agent=agent, input={"$placeholder": bad})
                self.assert_invalid("agent.call", agent=agent, input={"content": {"x": [{"$placeholder": bad}]}})
        self.assertEqual(self.n.rpc("agent.get", agent=agent)["calls"], 0)

    def test_a_literal_passes_as_it_is(self):
        agent = self.make("echo")
        for data in ({"$placeholder": 5}, {"$literal": 1}, {"$agent": 2}, [1, {"$placeholder": {}}], "x", None):
            with self.subTest(data=data):
                self.assertEqual(self.n.ask(agent, {"content": {"$literal": data}}), data)
                self.assertEqual(self.n.ask(agent, {"content": [1, {"k": {"$literal": data}}]}), [1, {"k": data}])

    def test_what_an_agent_answered_is_never_scanned(self):
        agent = self.make("echo")
        data = {"$placeholder": {"host": "127.0.0.1", "port": 1, "call": new_call()}}
        first = self.n.call(agent, {"content": {"$literal": data}})["placeholder"]
        self.assertEqual(self.n.ask(agent, first), data)
        self.assertEqual(self.n.ask(agent, [first]), [data])
        self.assertEqual(self.n.ask(agent, {"content": {"x": first}}), {"x": data})
        literal = self.n.call(agent, {"content": {"$literal": {"$literal": 7}}})["placeholder"]
        self.assertEqual(self.n.ask(agent, literal), {"$literal": 7})

    def test_an_agent_reference_in_an_input_passes(self):
        reference = {"$agent": {"host": "127.0.0.1", "port": self.n.port, "agent": "x"}}
        self.assertEqual(self.n.ask(self.make("echo"), {"content": {"to": reference}}), {"to": reference})

    def test_content_may_be_64_deep(self):
        deep = "[" * 64 + "]" * 64
        self.assertTrue(self.content('{"content":%s}' % deep).startswith(deep))
        agent = self.make("echo")
        deeper = "[" * 65 + "]" * 65
        answer = self.raw('{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"%s","input":{"content":%s}}}'
                          % (agent, deeper))
        self.assertEqual(answer["error"]["code"], PARSE_ERROR, answer)

    def test_an_outcome_that_becomes_too_deep_fails_the_call(self):
        agent = self.make("echo")
        deep = {"content": json.loads("[" * 40 + "]" * 40)}
        first = self.n.call(agent, deep)["placeholder"]
        nested = json.loads("[" * 39 + json.dumps(first) + "]" * 39)
        error = self.assert_error("agent_failed", -32016, self.n.ask, agent, {"content": nested})
        self.assertIn("limit", error.data)

    def test_a_join_may_be_larger_than_an_outcome_may_be(self):
        agent, transcript = self.make("echo"), self.make("transcript", args={"name": "T"})
        half = "x" * 600_000
        first = self.n.call(agent, half)["placeholder"]
        self.assertEqual(self.n.ask(transcript, [first, first])["digest"], sha256(canonical([half, half])))
        error = self.assert_error("agent_failed", -32016, self.n.ask, agent, [first, first])
        self.assertIn("limit", error.data)


if __name__ == "__main__":
    main()
