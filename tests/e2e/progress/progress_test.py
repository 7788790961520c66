"""Partial output: who sees it, and when.

    progress_test.py AGENTD AGENTCTL PLUGIN
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support.node import LIMIT, SharedNode, main  # noqa: E402
from support.websocket import Session, new_call  # noqa: E402

AGENTCTL, PLUGIN = (os.path.abspath(path) for path in sys.argv[2:4])
del sys.argv[2:4]
PARTS = ["one", {"two": 2}, None, [3, "\u00e4\x1b"]]
AS_PROGRESS = [{"seq": seq, "value": part} for seq, part in enumerate(PARTS)]


class WithTellers(SharedNode):
    flags = ("--plugin", PLUGIN)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node_.create("teller", "teller")
        cls.node_.create("teller", "holds", args={"holds": True})


class Watchers(WithTellers):
    def session(self):
        session = Session(self.shared)
        self.addCleanup(session.close)
        return session

    def heard(self, session, call):
        """Every notification about the call until it has settled, in order."""
        heard = []
        while not heard or heard[-1][0] != "call.settled":
            message = session.take(lambda message: message.get("params", {}).get("call") == call, f"more of {call}")
            heard.append((message["method"], message["params"]))
        return heard

    def assert_told(self, session, call):
        """Asserts that the session has heard all parts in order, and then the outcome, each once."""
        *parts, (_, outcome) = self.heard(session, call)
        self.assertEqual(parts, [("call.progress", {"call": call, **part}) for part in AS_PROGRESS])
        self.assertEqual((outcome["state"], outcome["value"]["content"]), ("done", len(PARTS)))
        session.sync()
        self.assertEqual([message for message in session.inbox if "method" in message], [])

    def test_a_caller_over_websocket_hears_each_part_in_order_before_the_outcome(self):
        session, call = self.session(), new_call()
        session.notify("agent.call", agent="teller", input=PARTS, call=call)
        self.assert_told(session, call)

    def test_each_call_counts_its_own_parts(self):
        session = self.session()
        calls = [new_call() for _ in range(3)]
        for call in calls:
            session.notify("agent.call", agent="teller", input=PARTS, call=call)
        heard = {call: [params["seq"] for method, params in self.heard(session, call) if method == "call.progress"]
                 for call in calls}
        self.assertEqual(heard, {call: list(range(len(PARTS))) for call in calls})

    def test_who_subscribed_hears_the_same_and_who_did_not_hears_nothing(self):
        watcher, stranger, call = self.session(), self.session(), new_call()
        watcher.rpc("call.subscribe", calls=[call], grace_ms=10000)
        self.shared.call("teller", PARTS, call=call)
        self.assert_told(watcher, call)
        stranger.sync()
        self.assertEqual(list(stranger.inbox), [])

    def test_parts_come_while_the_call_runs(self):
        session, call = self.session(), new_call()
        session.notify("agent.call", agent="holds", input=PARTS, call=call)
        for part in AS_PROGRESS:
            message = session.take(lambda message: "method" in message, "a part")
            self.assertEqual((message["method"], message["params"]), ("call.progress", {"call": call, **part}))
        self.assertEqual(self.shared.state_of(call), "running")
        self.shared.rpc("call.cancel", call=call)
        self.assertEqual(session.settled(call)["state"], "cancelled")

    def test_a_caller_over_http_gets_the_outcome_and_nothing_else(self):
        told = self.shared.rpc("agent.call", agent="teller", input=PARTS, wait_ms=45000)
        silent = self.shared.rpc("agent.call", agent="teller", input=[], wait_ms=45000)
        self.assertEqual(told["value"]["content"], len(PARTS))
        self.assertEqual(told.keys(), silent.keys())
        self.assertEqual(self.shared.rpc("call.get", call=told["call"]).keys(),
                         self.shared.rpc("call.get", call=silent["call"]).keys())


class Agentctl(WithTellers):
    def start(self, agent, *options):
        return subprocess.Popen([AGENTCTL, "call", agent, json.dumps(PARTS), "--node", self.shared.address, *options],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_partial_output_goes_to_standard_error_and_the_answer_to_standard_output(self):
        out, err = self.start("teller").communicate(timeout=LIMIT)
        self.assertEqual(out, f"{len(PARTS)}\n")
        self.assertEqual(err.splitlines(), ["one", '{"two":2}', "-", '[3,"\u00e4\\u001b"]'])

    def test_json_has_a_line_for_each_part(self):
        out, err = self.start("teller", "-o", "json").communicate(timeout=LIMIT)
        self.assertEqual(json.loads(out)["value"]["content"], len(PARTS))
        self.assertEqual([json.loads(line) for line in err.splitlines()], [{"progress": part} for part in PARTS])

    def test_parts_are_printed_while_the_call_runs(self):
        with self.start("holds", "-o", "json") as program:
            parts = [json.loads(program.stderr.readline()) for _ in PARTS]
            self.assertEqual(parts, [{"progress": part} for part in PARTS])
            (running,) = self.shared.rpc("call.list", agent="holds", state="running")["calls"]
            self.shared.rpc("call.cancel", call=running["call"])
            out, err = program.communicate(timeout=LIMIT)
        self.assertEqual((program.returncode, out), (1, ""))
        self.assertEqual(json.loads(err)["data"]["kind"], "cancelled")


if __name__ == "__main__":
    main()
