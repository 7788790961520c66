"""agentctl, driven as a person and as a script would, against a real node."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support.node import LIMIT, Case, Node, SharedNode, main, wait_for  # noqa: E402
from support.values import FOREVER, reference  # noqa: E402

OK, FAILED, NOT_FOUND, USAGE, UNREACHABLE, RETRYABLE, REFUSED = 0, 1, 2, 64, 69, 75, 77
TOKEN = "0123456789abcdef"
COMMANDS = ("info", "types", "agents", "create", "call", "get", "cancel", "calls", "release", "delete", "top",
            "drain", "stop", "bench")
UNKNOWN_CALL = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

program = os.path.abspath(sys.argv.pop(2))
completion = os.path.abspath(sys.argv.pop(2))


def environment(address=None):
    others = {name: value for name, value in os.environ.items() if name != "AGENTCTL_NODE"}
    return {**others, "AGENTCTL_NODE": address} if address else others


def run(address, *arguments, stdin=""):
    """Runs agentctl to its end; answers (exit code, stdout, stderr)."""
    done = subprocess.run([program, *arguments], input=stdin, capture_output=True, text=True, timeout=3 * LIMIT,
                          env=environment(address), check=False)
    return done.returncode, done.stdout, done.stderr


def start(address, *arguments, **options):
    return subprocess.Popen([program, *arguments], env=environment(address), text=True, **options)


def error_of(stderr):
    """The error that -o json puts on the last line."""
    return json.loads(stderr.splitlines()[-1])


class WithNode(SharedNode):
    def run_at(self, *arguments, **options):
        return run(self.shared.address, *arguments, **options)

    def good(self, *arguments, **options):
        """Asserts that it succeeds and says nothing on standard error; answers standard output."""
        code, out, err = self.run_at(*arguments, **options)
        self.assertEqual((code, err), (OK, ""), out)
        return out

    def good_json(self, *arguments, **options):
        out = self.good(*arguments, "-o", "json", **options)
        self.assertEqual(out.count("\n"), 1, out)
        return json.loads(out)

    def bad(self, expected, *arguments, **options):
        """Asserts that it leaves with that code and prints nothing; answers standard error."""
        code, out, err = self.run_at(*arguments, **options)
        self.assertEqual((code, out), (expected, ""), err)
        return err


class Usage(Case):
    def test_every_command_explains_itself_with_examples(self):
        code, out, _ = run(None, "--help")
        self.assertEqual(code, OK)
        for code in ("0 ", "1 ", "2 ", "64", "69", "75", "77"):
            self.assertRegex(out, rf"(?m)^  {code}  ")
        for command in COMMANDS:
            self.assertRegex(out, rf"(?m)^  {command} ")
            code, text, _ = run(None, command, "--help")
            self.assertEqual(code, OK)
            self.assertIn("Examples:\n  agentctl " + command, text)

    def test_the_version_is_told(self):
        code, out, _ = run(None, "--version")
        self.assertEqual(code, OK)
        self.assertRegex(out, r"^agentctl \d+\.\d+\.\d+\n$")

    def test_a_wrong_command_line_is_usage_and_asks_no_node(self):
        for arguments in ((), ("nonsense",), ("info", "--nonsense"), ("info", "more"), ("call",), ("release",),
                          ("create",), ("info", "-o", "xml"), ("info", "--node", "here:port"),
                          ("call", "a", "--deadline", "5"), ("call", "a", "--deadline", "-1s"),
                          ("call", "a", "--deadline", "99999999999999999999s"), ("stop", "--grace", "soon"),
                          ("create", "echo", "--args", "{"), ("create", "echo", "--options", "{"), ("agents", "--limit", "0"), ("cancel", "short"),
                          ("release", UNKNOWN_CALL, "no id"), ("top", "--once", "--interval", "0s"),
                          ("bench", "--in-flight", "0"), ("bench", "--calls", "many"),
                          ("info", "--token-file", "/no/such/file")):
            code, out, err = run("127.0.0.1:1", *arguments)
            self.assertEqual((code, out), (USAGE, ""), (arguments, err))
            self.assertTrue(err.startswith("agentctl: "), err)

    def test_a_wrong_word_is_named(self):
        for arguments, part in ((("creat",), 'there is no command "creat" (did you mean "create"?); see agentctl --help'),
                                (("info", "more", "words"), '"more" is not expected here; see agentctl info --help'),
                                (("info", "--node", ""), 'the node is ""'),
                                (("info", "--token-file", "/no/such/file"), "No such file or directory")):
            code, _, err = run("127.0.0.1:1", *arguments)
            self.assertEqual(code, USAGE)
            self.assertIn(part, err)
        self.assertEqual(error_of(run(None, "-o", "json", "creat")[2])["data"]["kind"], "invalid_params")

    def test_a_usage_error_is_json_where_json_is_asked_for(self):
        code, _, err = run(None, "call", "a", "--deadline", "5", "-o", "json")
        self.assertEqual(code, USAGE)
        self.assertEqual(error_of(err)["data"]["kind"], "invalid_params")
        self.assertIn("500ms", error_of(err)["message"])

    def test_a_token_file_without_a_token_is_usage(self):
        for text, fault in (("", "is empty"), ("\n", "is empty"), ("two words\n", "must be one line"),
                            ("one\ntwo\n", "must be one line"), ("x" * 5000, "holds more than 4096 characters; a token has 1 to 4096")):
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(text)
                file.flush()
                code, _, err = run("127.0.0.1:1", "info", "--token-file", file.name)
                self.assertEqual(code, USAGE)
                self.assertIn(fault, err)


class Telling(WithNode):
    def test_info_is_the_node_s_own_json(self):
        info = self.good_json("info")
        self.assertEqual((info["host"], info["port"], info["pid"]),
                         (self.shared.host, self.shared.port, self.shared.pid))
        self.assertEqual(info.keys(), self.shared.rpc("node.info").keys())

    def test_info_for_people_is_a_line_a_fact(self):
        out = self.good("info")
        self.assertRegex(out, rf"(?m)^port +{self.shared.port}$")
        self.assertRegex(out, r"(?m)^calls\.running +0$")

    def test_the_node_stands_before_or_after_the_command(self):
        for arguments in (("--node", self.shared.address, "info"), ("info", "--node", self.shared.address)):
            code, out, err = run("127.0.0.1:1", *arguments)
            self.assertEqual(code, OK, err)
            self.assertIn(str(self.shared.port), out)

    def test_types_are_told(self):
        self.assertEqual(self.good_json("types"), self.shared.rpc("type.list"))
        head, *rows = self.good("types").splitlines()
        self.assertEqual(head.split(), ["TYPE", "METHODS", "SOURCE", "DESCRIPTION"])
        echo = next(row for row in rows if row.startswith("echo "))
        self.assertIn("observe,reply", echo)
        self.assertEqual(echo.index("observe"), head.index("METHODS"))

    def test_text_has_no_decoration_where_nobody_watches(self):
        self.assertNotIn("\x1b", self.good("types"))

    def test_a_head_is_bold_on_a_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = start(self.shared.address, "types", stdout=theirs)
        os.close(theirs)
        self.assertTrue(os.read(ours, 65536).startswith(b"\x1b[1mTYPE"))
        self.assertEqual(process.wait(LIMIT), OK)


class Agents(WithNode):
    def test_an_agent_is_made_shown_listed_and_deleted(self):
        self.assertEqual(self.good("create", "counter", "--id", "visits", "--name", "V", "--args", '{"start": 10}'),
                         "visits\n")
        agent = self.good_json("get", "visits")
        self.assertEqual((agent["type"], agent["name"], agent["args"]), ("counter", "V", {"start": 10}))
        self.assertRegex(self.good("get", "visits"), r"(?m)^type +counter$")
        self.assertRegex(self.good("agents", "--type", "counter"), r"(?m)^visits +counter +V +0 +0$")
        self.good("delete", "visits")
        self.assertIn("agent_not_found", self.bad(NOT_FOUND, "delete", "visits"))

    def test_the_id_is_made_up_where_none_is_given(self):
        agent = self.good("create", "echo").strip()
        self.assertTrue(agent.startswith("echo-"))
        self.assertEqual(self.good_json("create", "echo", "--id", agent)["agent"], agent)

    def test_a_type_that_is_not_there_names_those_near(self):
        self.assertIn("counter", self.bad(NOT_FOUND, "create", "countr"))

    def test_arguments_that_the_type_refuses_are_usage(self):
        self.assertIn("invalid_params", self.bad(USAGE, "create", "echo", "--args", '{"nonsense": 1}'))

    def test_an_agent_is_made_with_the_options_that_are_given(self):
        made = self.good("create", "counter", "--options", '{"ordering": "ready", "mailbox": 5, "state": {"sum": 7}}').strip()
        agent = self.good_json("get", made)
        self.assertEqual((agent["ordering"], agent["state"]), ("ready", {"sum": 7}))
        self.assertIn("colour", self.bad(USAGE, "create", "echo", "--options", '{"colour": 1}'))

    def test_an_id_that_is_taken_by_another_agent_fails(self):
        self.good("create", "echo", "--id", "taken")
        self.assertIn("conflict", self.bad(FAILED, "create", "counter", "--id", "taken"))

    def test_lists_go_on_over_pages_and_say_when_there_is_more(self):
        self.shared.rpc("agent.create_many", type="transcript", count=2100, prefix="many", args={"name": "T"})
        listed = self.good_json("agents", "--type", "transcript", "--limit", "2050")
        self.assertEqual(len({agent["agent"] for agent in listed["agents"]}), 2050)
        rest = self.good_json("agents", "--type", "transcript", "--cursor", listed["next_cursor"])
        self.assertEqual(len(rest["agents"]), 50)
        self.assertNotIn("next_cursor", rest)
        code, out, err = self.run_at("agents", "--type", "transcript")
        self.assertEqual((code, len(out.splitlines())), (OK, 101))
        self.assertIn("raise --limit", err)


class Calls(WithNode):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node_.create("echo", "echo")
        cls.node_.create("failer", "failer")
        cls.node_.create("counter", "counter")

    def slow(self):
        return self.shared.create("sleeper", args=FOREVER)

    def test_a_string_is_printed_as_it_is_and_anything_else_as_json(self):
        for given, printed in (("hello you", "hello you"), ('"quoted"', "quoted"), ("[1,\"a\"]", '[1,"a"]'),
                               ("42", "42"), ("-5", "-5"), ("null", "null"), ("{not json", "{not json"),
                               ('{"content": {"a": true}}', '{"a": true}'), ("info", "info"), ("Grüße", "Grüße"),
                               ('"a\\nb"', "a\nb"), ("", ""), ("123456789012345678901234567890", None)):
            self.assertEqual(self.good("call", "echo", given), (given if printed is None else printed) + "\n")

    def test_without_input_there_is_none(self):
        self.assertEqual(self.good("call", "echo"), "null\n")
        first = int(self.good("call", "counter"))
        self.assertEqual(self.good("call", "counter", "5"), f"{first + 5}\n")

    def test_the_input_comes_from_standard_input(self):
        self.assertEqual(self.good("call", "echo", "-", stdin="line one\nline two\n"), "line one\nline two\n")
        self.assertEqual(self.good("call", "echo", "-", stdin="[1, 2]\n"), "[1,2]\n")

    def test_an_input_that_no_node_takes_is_refused_here(self):
        self.assertIn("longer", self.bad(USAGE, "call", "echo", "-", stdin="x" * (3 << 20)))
        self.assertIn("too deep", self.bad(USAGE, "call", "echo", "[" * 1000 + "]" * 1000))

    def test_a_large_answer_comes_whole(self):
        text = "tide " * 50_000
        self.assertEqual(self.good("call", "echo", "-", stdin=text), text + "\n")
        self.assertEqual(self.good_json("call", "echo", "-", stdin=text)["value"]["content"], text)

    def test_json_is_what_call_get_answers(self):
        answer = self.good_json("call", "echo", "hi")
        self.assertEqual((answer["state"], answer["value"]["content"]), ("done", "hi"))
        self.assertIn("timing", answer)

    def test_what_was_printed_is_released(self):
        call = self.good_json("call", "echo", "hi")["call"]
        self.bad(NOT_FOUND, "get", call)
        before = len(self.shared.rpc("call.list", agent="failer")["calls"])
        self.bad(FAILED, "call", "failer", "sorry")
        self.assertEqual(len(self.shared.rpc("call.list", agent="failer")["calls"]), before)

    def test_a_failed_call_tells_its_chain_of_causes(self):
        forwarder = self.shared.create("forwarder", args={"to": reference(self.shared, "failer")})
        err = self.bad(FAILED, "call", forwarder, "the tide is out")
        lines = err.splitlines()
        self.assertTrue(lines[0].startswith("agentctl: "))
        self.assertIn("kind: agent_failed", lines[1])
        self.assertIn(f"node: {self.shared.address}", lines[1])
        self.assertIn(f"agent: {forwarder}", lines[1])
        self.assertEqual(lines[2], "  caused by: the tide is out")
        self.assertIn("agent: failer", lines[3])

    def test_a_failed_call_is_json_where_json_is_asked_for(self):
        error = error_of(self.bad(FAILED, "call", "failer", "sorry", "-o", "json"))
        self.assertEqual((error["message"], error["data"]["kind"], error["data"]["agent"]),
                         ("sorry", "agent_failed", "failer"))

    def test_a_message_from_elsewhere_cannot_drive_the_terminal(self):
        self.assertIn(r"\x1b[2J", self.bad(FAILED, "call", "failer", "\x1b[2J\x07"))

    def test_the_deadline_holds(self):
        self.assertIn("deadline_exceeded", self.bad(FAILED, "call", self.slow(), "--deadline", "50ms"))

    def test_who_and_what_is_not_there_is_told(self):
        self.assertIn("agent_not_found", self.bad(NOT_FOUND, "call", "nobody"))
        self.assertIn("observe, reply", self.bad(USAGE, "call", "echo", "--method", "sing"))
        self.assertEqual(self.good("call", "echo", "hi", "--method", "observe"), "null\n")

    def test_a_call_that_is_not_waited_for_can_be_got_listed_and_released(self):
        call = self.good("call", "echo", "later", "--no-wait").strip()
        got = self.good_json("get", call, "--wait", "20s")
        self.assertEqual((got["state"], got["value"]["content"]), ("done", "later"))
        self.assertRegex(self.good("get", call), r"(?m)^state +done$")
        self.assertIn(call, self.good("calls", "--agent", "echo", "--state", "done"))
        self.assertEqual(self.good("release", call, call), "released 1\n")
        self.bad(NOT_FOUND, "get", call)

    def test_a_placeholder_can_be_handed_on(self):
        call = self.good_json("call", "echo", "from before", "--no-wait")
        self.assertEqual(self.good("call", "echo", json.dumps(call["placeholder"])), "from before\n")

    def test_a_call_can_be_cancelled_while_somebody_waits(self):
        agent = self.slow()
        waiting = start(self.shared.address, "call", agent, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        running = wait_for(lambda: self.good_json("calls", "--agent", agent, "--state", "running")["calls"],
                           "the call runs")
        self.assertEqual(self.good("cancel", running[0]["call"]), "cancelled\n")
        out, err = waiting.communicate(timeout=LIMIT)
        self.assertEqual((waiting.returncode, out), (FAILED, ""))
        self.assertIn("kind: cancelled", err)

    def test_a_failed_call_is_shown_with_its_error(self):
        call = self.good("call", "failer", "sorry", "--no-wait").strip()
        out = self.good("get", call, "--wait", "20s")
        self.assertRegex(out, r"(?m)^error  sorry$")
        self.assertIn("kind: agent_failed", out)
        self.good("release", call)

    def test_calls_that_are_not_there_are_told(self):
        for arguments in (("cancel", UNKNOWN_CALL), ("get", UNKNOWN_CALL), ("get", "nobody")):
            self.bad(NOT_FOUND, *arguments)

    def test_what_was_not_there_to_be_released_is_told_and_the_rest_is_released(self):
        call = self.good("call", "echo", "later", "--no-wait").strip()
        code, out, err = self.run_at("release", call, UNKNOWN_CALL)
        self.assertEqual((code, out), (NOT_FOUND, "released 1\n"))
        self.assertIn("of 2 calls 1 were there", err)
        self.bad(NOT_FOUND, "get", call)
        code, out, err = self.run_at("release", UNKNOWN_CALL, "-o", "json")
        self.assertEqual((code, json.loads(out)), (NOT_FOUND, {"released": 0}))
        self.assertEqual(error_of(err)["data"]["kind"], "call_not_found")


class Watching(WithNode):
    def test_top_shows_the_node_and_its_agents_once(self):
        self.shared.create("echo", "busy")
        self.shared.ask("busy", 1)
        out = self.good("top", "--once")
        self.assertTrue(out.startswith(self.shared.address))
        self.assertRegex(out, r"(?m)^busy +echo +echo +0 +1 +-$")
        sample = self.good_json("top", "--once")
        self.assertEqual(sample["info"]["pid"], self.shared.pid)
        self.assertIn("busy", [agent["agent"] for agent in sample["agents"]])

    def test_top_goes_on_until_it_is_interrupted(self):
        top = start(self.shared.address, "top", "--interval", "10ms", stdout=subprocess.PIPE)
        self.addCleanup(top.stdout.close)
        heads = 0
        while heads < 3:
            self.assertTrue(select.select([top.stdout], [], [], LIMIT)[0])
            heads += top.stdout.readline().startswith(self.shared.address)
        top.send_signal(signal.SIGINT)
        self.assertEqual(top.wait(LIMIT), -signal.SIGINT)

    def test_bench_measures_and_leaves_nothing_behind(self):
        measured = self.good_json("bench", "--calls", "500", "--in-flight", "50")
        self.assertEqual((measured["calls"], measured["failed"], measured["in_flight"]), (500, 0, 50))
        self.assertGreater(measured["calls_per_s"], 0)
        self.assertLessEqual(measured["p50_ms"], measured["p99_ms"])
        self.assertEqual([agent for agent in self.shared.rpc("agent.list")["agents"]
                          if agent["agent"].startswith("bench-")], [])
        self.assertRegex(self.good("bench", "--calls", "10"), r"(?m)^rate +\d+ calls/s$")

    def test_bench_stops_at_a_failure(self):
        self.assertIn("ping", self.bad(FAILED, "bench", "--agent-type", "failer", "--calls", "100"))
        self.bad(NOT_FOUND, "bench", "--agent-type", "nonsense")


class Gone(Case):
    def test_a_node_that_is_not_there_is_unreachable(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and not listening: nobody else can be there
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for arguments in (("info",), ("call", "a", "hi")):
                code, out, err = run(address, *arguments)
                self.assertEqual((code, out), (UNREACHABLE, ""))
                self.assertIn("kind: peer_unreachable", err)
                self.assertIn(address, err)

    def test_a_node_that_dies_while_somebody_waits_is_unreachable(self):
        node = self.node()
        agent = node.create("sleeper", args=FOREVER)
        waiting = start(node.address, "call", agent, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(lambda: node.rpc("call.list", state="running")["calls"], "the call runs")
        node.kill()
        out, err = waiting.communicate(timeout=LIMIT)
        self.assertEqual((waiting.returncode, out), (UNREACHABLE, ""), err)

    def test_a_draining_node_is_worth_another_try(self):
        node = self.node()
        node.create("echo", "echo")
        self.assertEqual(run(node.address, "drain"), (OK, f"{node.address} is draining\n", ""))
        code, _, err = run(node.address, "call", "echo", "hi")
        self.assertEqual(code, RETRYABLE)
        self.assertIn("kind: shutting_down", err)

    def test_an_overloaded_agent_is_worth_another_try(self):
        node = self.node()
        agent = node.create("sleeper", args=FOREVER, options={"mailbox": 1})
        codes = [run(node.address, "call", agent, "--no-wait")[0] for _ in range(3)]
        self.assertEqual(codes[0], OK)
        self.assertEqual(codes[-1], RETRYABLE)

    def test_stop_ends_the_node(self):
        node = self.node()
        self.assertEqual(run(node.address, "stop", "--grace", "1s", "-o", "json"), (OK, "{}\n", ""))
        self.assertEqual(node.wait(), OK)


class Tokens(Case):
    def file(self, text):
        file = tempfile.NamedTemporaryFile("w")
        self.addCleanup(file.close)
        file.write(text)
        file.flush()
        return file.name

    def test_a_token_opens_the_door_and_nothing_else_does(self):
        right, wrong = self.file(TOKEN + "\n"), self.file("fedcba9876543210")
        node = self.node("--token-file", right)
        for arguments in ((), ("--token-file", wrong)):
            code, out, err = run(node.address, "info", *arguments)
            self.assertEqual((code, out), (REFUSED, ""))
            self.assertIn("kind: peer_refused", err)
            self.assertNotIn("fedcba", err)
        self.assertEqual(run(node.address, "info", "--token-file", right)[0], OK)
        self.assertEqual(run(node.address, "bench", "--calls", "10", "--token-file", right)[0], OK)


class Completion(SharedNode):
    def completed(self, *words):
        """What completes the last of the words."""
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _agentctl; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        path = os.path.dirname(program) + ":" + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", script, completion, "agentctl", *words], capture_output=True, text=True,
                              timeout=LIMIT, check=True, env={**environment(self.shared.address), "PATH": path})
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_commands_and_options_are_completed(self):
        self.assertEqual(self.completed("ca"), ["call", "cancel", "calls"])
        self.assertEqual(sorted(self.completed("")), sorted(COMMANDS))
        self.assertEqual(self.completed("call", "a", "--d"), ["--deadline"])
        self.assertEqual(self.completed("calls", "--state", "r"), ["running"])
        self.assertEqual(self.completed("info", "-o", "j"), ["json"])

    def test_every_option_of_every_command_is_completed(self):
        for command in COMMANDS:
            _, text, _ = run(None, command, "--help")
            options = set(re.findall(r"(?m)^  (?:-\w,)?(--[a-z-]+)", text))
            self.assertLessEqual(options, set(self.completed(command, "--")), command)

    def test_agents_and_types_are_asked_from_the_node(self):
        self.shared.create("echo", "parrot")
        wait_for(lambda: self.completed("call", "par") == ["parrot"], "the agent's id")
        wait_for(lambda: self.completed("create", "coun") == ["counter"], "the type")


if __name__ == "__main__":
    main()
