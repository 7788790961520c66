"""What a node promises: order, deadlines, failures, ids, bounds, circles, and an orderly end."""

import concurrent.futures
import signal

from support.node import RpcError, SharedNode, main, wait_for
from support.values import BUSY, FOREVER, OVERDUE, causes, kinds, placeholder, reference, seconds
from support.websocket import Session, new_call


class Promise(SharedNode):
    """One node for all; every test makes agents of its own."""

    made = 0

    def setUp(self):
        self.n = self.shared
        self.pool = concurrent.futures.ThreadPoolExecutor(8)
        self.addCleanup(self.pool.shutdown)

    def make(self, type, **members):
        Promise.made += 1
        return self.n.create(type, f"a{Promise.made}", **members)

    def session(self, node=None, **options):
        session = Session(node or self.n, **options)
        self.addCleanup(session.close)
        return session

    def slow(self, **members):
        """A call that stays running until somebody cancels it."""
        agent = self.make("sleeper", args=FOREVER, **members)
        call = self.n.call(agent, "slow")["call"]
        self.addCleanup(self.n.rpc, "call.cancel", call=call)
        self.n.wait_state(call, "running")
        return agent, call

    def assert_failed(self, call, *expected, node=None):
        """Asserts the call has failed with such kinds, cause after cause; answers the error."""
        got = (node or self.n).outcome(call)
        self.assertEqual(got["state"], "failed", got)
        self.assertEqual(kinds(got["error"]), list(expected), got)
        return got["error"]

    def assert_settled_in_time(self, call, deadline_ms, node=None):
        got = (node or self.n).outcome(call)
        took = seconds(got["timing"])
        self.assertLessEqual(took, deadline_ms / 1000 + OVERDUE)
        self.assertGreaterEqual(took, deadline_ms / 1000 - 0.05, "and not before its deadline")
        return got


class Lanes(Promise):
    def test_calls_of_a_caller_keep_their_order_though_the_first_waits(self):
        _, slow = self.slow()
        agent = self.make("transcript", args={"name": "T"})
        first = self.n.call(agent, placeholder(self.n, slow), caller="c")["call"]
        rest = [self.n.call(agent, n, caller="c")["call"] for n in range(5)]
        self.assertEqual(self.n.ask(agent, "x", caller="d")["n"], 1, "another caller is not behind them")
        self.assertEqual(self.n.state_of(first), "waiting")
        self.assertEqual([self.n.state_of(call) for call in rest], ["queued"] * 5)
        self.n.rpc("call.cancel", call=slow)
        self.assert_failed(first, "input_failed", "cancelled")
        self.assertEqual([self.n.outcome(call)["value"]["content"]["n"] for call in rest], [2, 3, 4, 5, 6])

    def test_the_first_runs_first_once_its_input_is_there(self):
        slow = self.make("sleeper", args={"seconds": 0.3})
        agent = self.make("transcript", args={"name": "T"})
        first = self.n.call(agent, self.n.call(slow, 1)["placeholder"], caller="c")["call"]
        rest = [self.n.call(agent, n, caller="c")["call"] for n in range(3)]
        self.assertEqual([self.n.outcome(call)["value"]["content"]["n"] for call in [first, *rest]], [1, 2, 3, 4])

    def test_http_requests_are_each_a_caller_of_their_own(self):
        _, slow = self.slow()
        agent = self.make("transcript", args={"name": "T"})
        self.n.call(agent, placeholder(self.n, slow))
        self.assertEqual(self.n.ask(agent, "x")["n"], 1)

    def test_a_websocket_is_a_caller_of_its_own(self):
        _, slow = self.slow()
        agent = self.make("transcript", args={"name": "T"})
        one, other = self.session(), self.session()
        one.rpc("agent.call", agent=agent, input=placeholder(self.n, slow))
        behind = one.rpc("agent.call", agent=agent, input=1)["call"]
        self.assertEqual(other.rpc("agent.call", agent=agent, input=2, wait_ms=45000)["value"]["content"]["n"], 1)
        self.assertEqual(self.n.state_of(behind), "queued")

    def test_connections_that_name_the_same_caller_are_one(self):
        _, slow = self.slow()
        agent = self.make("transcript", args={"name": "T"})
        one, other = self.session(caller="us"), self.session(caller="us")
        one.rpc("agent.call", agent=agent, input=placeholder(self.n, slow))
        behind = other.rpc("agent.call", agent=agent, input=1)["call"]
        self.assertEqual(self.n.ask(agent, "x")["n"], 1)
        self.assertEqual(self.n.state_of(behind), "queued")
        one.close()
        later = self.session(caller="us").rpc("agent.call", agent=agent, input=1)["call"]
        self.assertEqual(self.n.ask(agent, "x")["n"], 2)
        self.assertEqual(self.n.state_of(later), "queued")

    def test_the_caller_of_a_call_overrides_that_of_the_connection(self):
        _, slow = self.slow()
        agent = self.make("transcript", args={"name": "T"})
        session = self.session()
        session.rpc("agent.call", agent=agent, input=placeholder(self.n, slow))
        self.assertEqual(session.rpc("agent.call", agent=agent, caller="x", wait_ms=45000)["value"]["content"]["n"], 1)

    def test_lanes_are_of_a_caller_and_an_agent(self):
        _, slow = self.slow()
        agent, other = self.make("echo"), self.make("echo")
        self.n.call(agent, placeholder(self.n, slow), caller="c")
        self.assertEqual(self.n.ask(other, 1, caller="c"), 1)

    def test_many_calls_of_a_caller_run_in_their_order(self):
        agent = self.make("transcript", args={"name": "T"})
        session, calls = self.session(), [new_call() for _ in range(500)]
        session.send([{"jsonrpc": "2.0", "method": "agent.call", "params": {"agent": agent, "input": n, "call": call}}
                      for n, call in enumerate(calls)])
        self.assertEqual([session.settled(call)["value"]["content"]["n"] for call in calls], list(range(1, 501)))

    def test_one_call_runs_at_a_time(self):
        for options in ({}, {"ordering": "ready"}):
            agent = self.make("sleeper", args={"seconds": 0.02}, options=options)
            calls = [self.n.call(agent, n)["call"] for n in range(8)]
            timings = sorted((self.n.outcome(call)["timing"] for call in calls), key=lambda one: one["started"])
            for before, after in zip(timings, timings[1:]):
                self.assertLessEqual(before["settled"], after["started"])

    def test_with_ordering_ready_whatever_is_ready_runs(self):
        _, slow = self.slow()
        agent = self.make("transcript", args={"name": "T"}, options={"ordering": "ready"})
        first = self.n.call(agent, placeholder(self.n, slow), caller="c")["call"]
        self.assertEqual(self.n.ask(agent, 1, caller="c")["n"], 1)
        self.assertEqual(self.n.state_of(first), "waiting")

    def test_the_oldest_ready_call_among_the_lanes_goes_first(self):
        agent, slow = self.make("sleeper", args={"seconds": 0.3}), self.make("transcript", args={"name": "T"})
        blocked = self.n.call(slow, self.n.call(agent, 0)["placeholder"], caller="x")["call"]
        self.assertEqual(self.n.ask(slow, 0, caller="y")["n"], 1)
        self.assertEqual(self.n.outcome(blocked)["value"]["content"]["n"], 2)

    def test_a_clone_copies_what_a_call_at_its_place_would_see(self):
        slow = self.make("sleeper", args={"seconds": 0.3})
        agent = self.make("counter")
        session = self.session()
        session.rpc("agent.call", agent=agent, input=self.n.call(slow, 10)["placeholder"])
        clone = session.request("agent.clone", agent=agent, **{"as": agent + ".copy"})
        session.rpc("agent.call", agent=agent, input=100)
        session.answer(clone)
        self.assertEqual(self.n.ask(agent + ".copy", 0), 10)


class Deadlines(Promise):
    def test_a_call_that_waits_for_its_input_fails_at_its_deadline(self):
        _, slow = self.slow()
        call = self.n.call(self.make("echo"), placeholder(self.n, slow), deadline_ms=300)["call"]
        self.assertEqual(self.n.state_of(call), "waiting")
        self.assert_settled_in_time(call, 300)
        self.assertEqual(self.assert_failed(call, "deadline_exceeded")["code"], -32014)

    def test_a_queued_call_fails_at_its_deadline(self):
        agent, _ = self.slow()
        call = self.n.call(agent, 1, deadline_ms=300)["call"]
        self.assert_settled_in_time(call, 300)
        self.assert_failed(call, "deadline_exceeded")

    def test_a_call_behind_others_in_its_lane_fails_at_its_deadline(self):
        _, slow = self.slow()
        agent = self.make("echo")
        self.n.call(agent, placeholder(self.n, slow), caller="c")
        call = self.n.call(agent, 1, caller="c", deadline_ms=300)["call"]
        self.assert_settled_in_time(call, 300)
        self.assert_failed(call, "deadline_exceeded")

    def test_a_running_call_fails_at_its_deadline_and_frees_its_agent(self):
        agent = self.make("sleeper", args=FOREVER)
        call = self.n.call(agent, 1, deadline_ms=300)["call"]
        behind = self.n.call(agent, 2)["call"]
        self.assert_settled_in_time(call, 300)
        self.assert_failed(call, "deadline_exceeded")
        self.n.wait_state(behind, "running")
        self.n.rpc("call.cancel", call=behind)

    def test_a_blocking_call_fails_at_its_deadline_and_its_agent_is_busy_until_it_returns(self):
        agent = self.make("burner", args=BUSY)
        call = self.n.call(agent, 1, deadline_ms=50)["call"]
        behind = self.n.call(agent, 1)["call"]
        self.assert_settled_in_time(call, 50)
        self.assert_failed(call, "deadline_exceeded")
        self.n.wait_state(behind, "running")
        self.n.rpc("call.cancel", call=behind)

    def test_who_waits_is_told_of_the_deadline(self):
        agent = self.make("sleeper", args=FOREVER)
        error = self.assert_error("deadline_exceeded", -32014, self.n.ask, agent, 1, deadline_ms=100)
        self.assertEqual((error.data["agent"], error.data["node"]), (agent, self.n.address))

    def test_an_agent_may_have_a_deadline_of_its_own_and_a_call_may_pass_it(self):
        agent = self.make("sleeper", args={"seconds": 0.6}, options={"deadline_ms": 150})
        call = self.n.call(agent, 1)["call"]
        self.assert_settled_in_time(call, 150)
        self.assert_failed(call, "deadline_exceeded")
        self.assertEqual(self.n.ask(agent, 1, deadline_ms=20000), 1, "a default, not a cap")

    def test_a_node_may_have_a_deadline_of_its_own_and_an_agent_may_pass_it(self):
        node = self.node(config={"limits": {"deadline_ms": 150}})
        node.create("sleeper", "short", args={"seconds": 0.6})
        node.create("sleeper", "long", args={"seconds": 0.6}, options={"deadline_ms": 20000})
        call = node.call("short", 1)["call"]
        self.assert_settled_in_time(call, 150, node)
        self.assert_failed(call, "deadline_exceeded", node=node)
        self.assertEqual(node.ask("long", 1), 1)

    def test_a_nested_call_gets_what_is_left_of_the_call_that_makes_it(self):
        slow = self.make("sleeper", args=FOREVER)
        forwarder = self.make("forwarder", args={"to": reference(self.n, slow)})
        call = self.n.call(forwarder, 1, deadline_ms=1000)["call"]
        wait_for(lambda: self.n.rpc("call.list", agent=slow, state="running")["calls"], "the nested call")
        self.assert_settled_in_time(call, 1000)
        self.assertIn("deadline_exceeded", kinds(self.n.outcome(call)["error"]))
        wait_for(lambda: not self.n.rpc("call.list", agent=slow, state="running")["calls"], "its end", limit=OVERDUE)

    def test_joining_a_call_changes_nothing_about_its_deadline(self):
        agent, call = self.make("sleeper", args={"seconds": 0.5}), new_call()
        self.n.call(agent, 1, call=call)
        self.assertEqual(self.n.ask(agent, 1, call=call, deadline_ms=1), 1)


class FailedInputs(Promise):
    def test_a_failed_input_fails_the_call_without_running_it(self):
        failer, counter = self.make("failer"), self.make("counter")
        failed = self.n.call(failer, "no")
        call = self.n.call(counter, failed["placeholder"])["call"]
        error = self.assert_failed(call, "input_failed", "agent_failed")
        self.assertEqual(error["code"], -32017)
        self.assertEqual((error["data"]["agent"], error["data"]["call"]), (counter, call))
        root = causes(error)[-1]
        self.assertEqual((root["message"], root["data"]["agent"], root["data"]["node"], root["data"]["call"]),
                         ("no", failer, self.n.address, failed["call"]))
        self.assertEqual(self.n.ask(counter, 0), 0)
        self.assertIsNone(self.n.rpc("call.get", call=call)["timing"]["started"])

    def test_a_failure_after_the_call_came_is_as_one_before(self):
        slow, failer = self.make("sleeper", args={"seconds": 0.2}), self.make("failer")
        call = self.n.call(failer, self.n.call(slow, "late")["placeholder"])
        for input in (call["placeholder"], [1, call["placeholder"]], {"content": {"x": [call["placeholder"]]}}):
            error = self.assert_failed(self.n.call(self.make("echo"), input)["call"], "input_failed", "agent_failed")
            self.assertEqual(causes(error)[-1]["message"], "late")

    def test_the_chain_goes_down_to_the_agent_that_failed(self):
        last = self.n.call(self.make("failer"), "root")
        for _ in range(10):
            last = self.n.call(self.make("echo"), last["placeholder"])
        error = self.assert_failed(last["call"], *["input_failed"] * 10, "agent_failed")
        self.assertEqual(causes(error)[-1]["message"], "root")

    def test_a_long_chain_leaves_out_its_middle_and_never_its_root(self):
        for wait_first in (True, False):
            _, slow = self.slow()
            last = self.n.call(self.make("failer"), [placeholder(self.n, slow)])
            for _ in range(60):
                last = self.n.call(self.make("echo"), last["placeholder"])
            if wait_first:
                self.n.wait_state(last["call"], "waiting")
            self.n.rpc("call.cancel", call=slow)
            got = self.n.outcome(last["call"])
            chain = causes(got["error"])
            self.assertLessEqual(len(chain), 25)
            self.assertEqual(chain[-1]["data"]["kind"], "cancelled")
            self.assertEqual(chain[-1]["data"]["call"], slow)
            elided = sum(one["data"].get("elided", 0) for one in chain)
            self.assertEqual(len(chain) + elided, 62)

    def test_the_first_failure_learned_of_fails_the_call_at_once(self):
        _, slow = self.slow()
        failed = self.n.call(self.make("failer"), "no")
        agent = self.make("echo")
        call = self.n.call(agent, [placeholder(self.n, slow), failed["placeholder"]], caller="c")["call"]
        self.assert_failed(call, "input_failed", "agent_failed")
        self.assertEqual(self.n.ask(agent, 5, caller="c"), 5, "and it has left its lane")

    def test_an_input_that_stays_unknown_is_call_not_found(self):
        call = self.n.call(self.make("echo"), placeholder(self.n, new_call()), deadline_ms=1500)["call"]
        got = self.n.outcome(call)
        self.assertIn(got["error"]["data"]["kind"], ("input_failed", "deadline_exceeded"))

    def test_an_input_may_come_after_the_call_that_needs_it(self):
        first = new_call()
        call = self.n.call(self.make("echo"), {"content": {"x": placeholder(self.n, first)}})["call"]
        self.assertEqual(self.n.state_of(call), "waiting")
        self.n.call(self.make("echo"), "late", call=first)
        self.assertEqual(self.n.outcome(call)["value"]["content"], {"x": "late"})

    def test_a_released_outcome_is_not_there_for_a_later_call(self):
        agent = self.make("echo")
        call = self.n.call(agent, 1, wait_ms=45000)["call"]
        self.n.rpc("call.release", calls=[call])
        error = self.assert_failed(self.n.call(agent, placeholder(self.n, call))["call"], "input_failed", "call_not_found")
        self.assertEqual(causes(error)[-1]["code"], -32012)

    def test_a_release_does_not_take_the_outcome_from_who_waits_for_it(self):
        slow, agent = self.make("sleeper", args={"seconds": 0.3}), self.make("echo")
        first = self.n.call(slow, "kept")
        call = self.n.call(agent, first["placeholder"])["call"]
        self.n.rpc("call.release", calls=[first["call"]])
        self.assertEqual(self.n.outcome(call)["value"]["content"], "kept")


class Ids(Promise):
    def test_the_same_request_again_joins_the_call(self):
        agent, call = self.make("counter"), new_call()
        slow = self.n.call(self.make("sleeper", args={"seconds": 0.2}), 5)["placeholder"]
        asked = [self.pool.submit(self.n.ask, agent, slow, call=call) for _ in range(5)]
        self.assertEqual([one.result() for one in asked], [5] * 5)
        self.assertEqual(self.n.ask(agent, slow, call=call), 5, "settled, it is the same outcome")
        self.assertEqual(self.n.ask(agent, 0), 5, "it ran once")

    def test_a_failure_is_the_outcome_too(self):
        agent, call = self.make("failer"), new_call()
        errors = [self.assert_error("agent_failed", -32016, self.n.ask, agent, "once", call=call).error for _ in range(3)]
        self.assertEqual(errors[0], errors[1])
        self.assertEqual(errors[0], errors[2])
        self.assertEqual(self.n.rpc("agent.get", agent=agent)["calls"], 1)

    def test_deadline_wait_and_caller_do_not_make_another_request(self):
        agent, call = self.make("counter"), new_call()
        self.assertEqual(self.n.ask(agent, 1, call=call), 1)
        for params in ({"deadline_ms": 5}, {"wait_ms": 1}, {"caller": "somebody"}):
            self.assertEqual(self.n.ask(agent, 1, call=call, **params), 1)

    def test_the_input_is_compared_by_value(self):
        agent, call = self.make("echo"), new_call()
        template = '{"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"%s","wait_ms":45000,"call":"%s","input":%s}}'

        def send(input):
            return self.n.post(template % (agent, call, input)).json

        self.assertIn("result", send('{"content":{"a":1,"b":[1.0,"\\u0041"]}}'))
        for same in ('{"content":{"b":[1.0,"A"],"a":1}}', ' { "content" : {"a": 1, "b": [1.0, "A"]} }'):
            self.assertIn("result", send(same), same)
        for other in ('{"content":{"a":1,"b":[1,"A"]}}', '{"content":{"a":1}}', '"x"', "null", '{"content":{"a":1.0,"b":[1.0,"A"]}}'):
            self.assertEqual(send(other)["error"]["data"]["kind"], "conflict", other)

    def test_the_same_id_for_another_request_is_a_conflict(self):
        agent, other, call = self.make("counter"), self.make("counter"), new_call()
        self.n.ask(agent, 1, call=call)
        self.assert_error("conflict", -32018, self.n.call, agent, 2, call=call)
        self.assert_error("conflict", -32018, self.n.call, other, 1, call=call)
        self.assert_error("conflict", -32018, self.n.call, agent, 1, call=call, method="observe")
        self.assert_error("conflict", -32018, self.n.call, agent, call=call)
        self.assertEqual([self.n.ask(agent, 0), self.n.ask(other, 0)], [1, 0])

    def test_a_released_id_does_not_run_again(self):
        agent, call = self.make("counter"), new_call()
        self.n.ask(agent, 1, call=call)
        self.n.rpc("call.release", calls=[call])
        for input in (1, 2):
            self.assert_error("call_not_found", -32012, self.n.call, agent, input, call=call)
        self.assertEqual(self.n.ask(agent, 0), 1)

    def test_an_outcome_is_kept_until_its_time_to_live_ends(self):
        node = self.node(config={"limits": {"outcome_ttl_ms": 400}})
        node.create("counter", "c")
        call = new_call()
        node.ask("c", 1, call=call)

        def gone():
            try:
                node.rpc("call.get", call=call)
            except RpcError as error:
                return error.kind == "call_not_found"
            return False

        wait_for(gone, "the end of its time to live")
        self.assert_error("call_not_found", -32012, node.call, "c", 1, call=call)
        self.assertEqual(node.ask("c", 0), 1)

    def test_a_refused_call_did_not_happen(self):
        call = new_call()
        self.assert_error("agent_not_found", -32010, self.n.call, "nobody", 1, call=call)
        self.assert_error("call_not_found", -32012, self.n.rpc, "call.get", call=call)


class Cancelling(Promise):
    def test_a_waiting_call_is_dropped_and_its_input_is_not_cancelled(self):
        _, slow = self.slow()
        agent = self.make("counter")
        call = self.n.call(agent, placeholder(self.n, slow))["call"]
        self.assertEqual(self.n.rpc("call.cancel", call=call)["state"], "cancelled")
        got = self.n.outcome(call)
        self.assertEqual((got["state"], got["error"]["data"]["kind"], got["error"]["code"]), ("cancelled", "cancelled", -32015))
        self.assertEqual(self.n.state_of(slow), "running")
        self.assertEqual(self.n.ask(agent, 0), 0)

    def test_a_queued_call_is_dropped_and_never_runs(self):
        slow = self.make("sleeper", args={"seconds": 0.3})
        self.n.call(slow, 1)
        queued = self.n.call(slow, 2)["call"]
        behind = self.n.call(slow, 3)["call"]
        self.n.rpc("call.cancel", call=queued)
        self.assertEqual(self.n.outcome(behind)["state"], "done")
        self.assertIsNone(self.n.rpc("call.get", call=queued)["timing"]["started"])

    def test_a_running_call_is_cancelled_at_once_for_whoever_waits(self):
        agent, call = self.slow()
        waiter = self.pool.submit(self.n.rpc, "call.get", call=call, wait_ms=45000)
        joiner = self.pool.submit(self.n.ask, agent, "slow", call=call)
        self.assertEqual(self.n.rpc("call.cancel", call=call)["state"], "cancelled")
        self.assertEqual(waiter.result()["state"], "cancelled")
        self.assertEqual(joiner.exception().kind, "cancelled")
        self.assertEqual(self.n.rpc("call.cancel", call=call)["state"], "cancelled", "again, it is as it was")

    def test_its_agent_takes_the_next_call(self):
        agent, call = self.slow()
        behind = self.n.call(agent, 2)["call"]
        self.n.rpc("call.cancel", call=call)
        self.n.wait_state(behind, "running")
        self.n.rpc("call.cancel", call=behind)

    def test_dependents_fail_with_cancelled_in_their_cause(self):
        _, slow = self.slow()
        one = self.n.call(self.make("echo"), placeholder(self.n, slow))
        two = self.n.call(self.make("echo"), one["placeholder"])["call"]
        self.n.rpc("call.cancel", call=slow)
        self.assert_failed(two, "input_failed", "input_failed", "cancelled")

    def test_a_settled_call_stays_as_it_is(self):
        call = self.n.call(self.make("echo"), 1, wait_ms=45000)["call"]
        self.assertEqual(self.n.rpc("call.cancel", call=call)["state"], "done")
        self.assertEqual(self.n.outcome(call)["value"]["content"], 1)

    def test_a_blocking_call_is_cancelled_at_once_too(self):
        agent = self.make("burner", args=BUSY)
        call = self.n.call(agent, 1)["call"]
        self.n.wait_state(call, "running")
        self.assertEqual(self.n.rpc("call.cancel", call=call)["state"], "cancelled")


class Bounds(Promise):
    def fill(self, node, agent, caller):
        """Calls until the mailbox is full; answers the id that was refused."""
        for _ in range(20):
            call = new_call()
            try:
                node.call(agent, 1, call=call, caller=caller)
            except RpcError as error:
                self.assertEqual((error.kind, error.code), ("overloaded", -32013))
                self.assertIs(error.data["retryable"], True)
                self.assertIn("limit", error.data)
                return call
        raise AssertionError("the mailbox of 3 took 20 calls")

    def test_a_full_mailbox_refuses_and_the_lane_stays_refused_until_the_id_is_sent_again(self):
        agent = self.make("sleeper", args=FOREVER, options={"mailbox": 3})
        refused = self.fill(self.n, agent, "c")
        for one in self.n.rpc("call.list", agent=agent)["calls"]:
            self.n.rpc("call.cancel", call=one["call"])
        wait_for(lambda: self.n.rpc("agent.get", agent=agent)["mailbox"] == 0, "an empty mailbox")
        self.assert_error("overloaded", -32013, self.n.call, agent, 1, caller="c")
        self.n.wait_state(self.n.call(agent, 1, caller="d")["call"], "running")
        second = new_call()
        self.assert_error("overloaded", -32013, self.n.call, agent, 1, caller="c", call=second)
        self.assertEqual(self.n.call(agent, 1, caller="c", call=refused)["state"], "queued")
        self.assertEqual(self.assert_error("overloaded", -32013, self.n.call, agent, 1, caller="c").data["limit"], "order")
        self.assertEqual(self.n.call(agent, 1, caller="c", call=second)["state"], "queued")
        self.assertEqual(self.n.call(agent, 1, caller="c")["state"], "queued")
        for one in self.n.rpc("call.list", agent=agent)["calls"]:
            self.n.rpc("call.cancel", call=one["call"])

    def test_a_refused_lane_is_open_again_once_the_id_is_released(self):
        agent = self.make("sleeper", args=FOREVER, options={"mailbox": 3})
        refused = self.fill(self.n, agent, "c")
        for one in self.n.rpc("call.list", agent=agent)["calls"]:
            self.n.rpc("call.cancel", call=one["call"])
        self.assert_error("overloaded", -32013, self.n.call, agent, 1, caller="c", call=new_call())
        self.n.rpc("call.release", calls=[refused])
        call = self.n.call(agent, 1, caller="c")["call"]
        self.n.rpc("call.cancel", call=call)

    def test_a_refused_call_was_not_queued(self):
        agent = self.make("sleeper", args=FOREVER, options={"mailbox": 3})
        refused = self.fill(self.n, agent, "c")
        self.assert_error("call_not_found", -32012, self.n.rpc, "call.get", call=refused)
        calls = self.n.rpc("call.list", agent=agent)["calls"]
        self.assertNotIn(refused, [one["call"] for one in calls])
        for one in calls:
            self.n.rpc("call.cancel", call=one["call"])

    def test_unknown_ids_that_are_waited_for_are_bounded(self):
        node = self.node(config={"limits": {"expected": 3}})
        with Session(node) as session:
            calls = [new_call() for _ in range(4)]
            session.rpc("call.subscribe", calls=calls, grace_ms=600_000)
            self.assertEqual(session.settled(calls[3])["error"]["data"]["limit"], "expected")
            session.sync()
            self.assertEqual([session.settled_so_far(call) for call in calls], [0] * 4)

    def test_agents_and_calls_are_bounded(self):
        node = self.node(config={"limits": {"agents": 4, "calls": 8}})
        for n in range(4):
            node.create("sleeper", f"s{n}", args=FOREVER)
        error = self.assert_error("overloaded", -32013, node.rpc, "agent.create", type="echo")
        self.assertIn("limit", error.data)
        self.assert_error("overloaded", -32013, node.rpc, "agent.create_many", type="echo", count=5, prefix="p")
        self.assertEqual(node.rpc("node.info")["agents"], 4)
        calls = [node.call(f"s{n % 4}", n)["call"] for n in range(8)]
        error = self.assert_error("overloaded", -32013, node.call, "s0", 1)
        self.assertIn("limit", error.data)
        node.rpc("call.cancel", call=calls[0])
        node.rpc("call.release", calls=[calls[0]])
        node.call("s0", 1)

    def test_the_outcome_store_refuses_before_it_forgets(self):
        node = self.node(config={"limits": {"outcomes": 1 << 20}})
        node.create("echo", "e")
        kept, refused = [], None
        for n in range(12):
            call = new_call()
            try:
                node.ask("e", str(n) * 200_000, call=call)
                kept.append(call)
            except RpcError as error:
                self.assertEqual(error.kind, "overloaded", error.error)
                self.assertIn("limit", error.data)
                refused = error
                break
        self.assertIsNotNone(refused, "12 outcomes of 200 kB went into 1 MiB")
        self.assertGreater(len(kept), 0)
        for n, call in enumerate(kept):
            self.assertEqual(node.outcome(call)["value"]["content"], str(n) * 200_000)
        node.rpc("call.release", calls=kept)
        self.assertEqual(node.ask("e", "x" * 200_000), "x" * 200_000)

    def test_one_caller_holds_a_quarter_of_the_outcome_store_at_most(self):
        node = self.node(config={"limits": {"outcomes": 1 << 20}})
        node.create("echo", "e")
        calls = []
        with self.assertRaises(RpcError) as raised:
            for _ in range(6):
                calls.append(new_call())
                node.ask("e", "x" * 100_000, caller="greedy", call=calls[-1])
        self.assertEqual(raised.exception.kind, "overloaded")
        self.assertLessEqual(len(calls), 4)
        self.assertEqual(node.ask("e", "x" * 100_000, caller="modest"), "x" * 100_000)


class Circles(Promise):
    def test_a_call_that_is_its_own_input_fails_at_once(self):
        call = new_call()
        with self.assertRaises(RpcError) as raised:
            self.n.ask(self.make("echo"), placeholder(self.n, call), call=call)
        self.assertIn("cycle", kinds(raised.exception.error))

    def test_two_calls_that_wait_for_each_other_fail_at_once(self):
        one, other, agent = new_call(), new_call(), self.make("echo")
        self.n.call(agent, placeholder(self.n, other), call=one)
        with self.assertRaises(RpcError) as raised:
            self.n.ask(self.make("echo"), placeholder(self.n, one), call=other)
        self.assertEqual((raised.exception.kind, raised.exception.code), ("cycle", -32021))
        got = self.n.outcome(one)
        self.assertEqual(got["state"], "failed")

    def test_three_calls_in_a_circle_fail_at_once(self):
        calls = [new_call() for _ in range(3)]
        self.n.call(self.make("echo"), placeholder(self.n, calls[1]), call=calls[0])
        self.n.call(self.make("echo"), {"content": [placeholder(self.n, calls[2])]}, call=calls[1])
        with self.assertRaises(RpcError) as raised:
            self.n.ask(self.make("echo"), [1, placeholder(self.n, calls[0])], call=calls[2])
        self.assertEqual(raised.exception.kind, "cycle")
        for call in calls[:2]:
            self.assertEqual(self.n.outcome(call)["state"], "failed")

    def test_a_call_behind_the_one_that_waits_for_it_fails_at_once(self):
        agent, second = self.make("echo"), new_call()
        first = self.n.call(agent, placeholder(self.n, second), caller="c")["call"]
        with self.assertRaises(RpcError) as raised:
            self.n.ask(agent, 1, caller="c", call=second)
        self.assertEqual(raised.exception.kind, "cycle")
        self.assertEqual(self.n.outcome(first)["state"], "failed")
        self.assertEqual(self.n.ask(agent, 2, caller="c"), 2)

    def test_forwarders_in_a_circle_fail_by_their_path(self):
        Promise.made += 1
        names = [f"f{Promise.made}.{n}" for n in range(3)]
        for n, name in enumerate(names):
            self.n.create("forwarder", name, args={"to": reference(self.n, names[(n + 1) % 3])})
        with self.assertRaises(RpcError) as raised:
            self.n.ask(names[0], 1)
        chain = causes(raised.exception.error)
        self.assertEqual([one["data"]["kind"] for one in chain], ["agent_failed"] * 3 + ["cycle"])
        self.assertEqual(chain[-1]["data"]["path"][:3], [f"{self.n.address}/{name}" for name in names])

    def test_a_forwarder_to_itself_fails(self):
        Promise.made += 1
        name = f"f{Promise.made}"
        self.n.create("forwarder", name, args={"to": reference(self.n, name)})
        with self.assertRaises(RpcError) as raised:
            self.n.ask(name, 1)
        self.assertEqual(kinds(raised.exception.error), ["agent_failed", "cycle"])

    def test_a_call_to_an_agent_on_its_path_is_a_cycle(self):
        agent = self.make("echo")
        path = ["10.1.2.3:12001/other", f"{self.n.address}/{agent}"]
        error = self.assert_error("cycle", -32021, self.n.call, agent, 1, path=path)
        self.assertEqual(error.data["path"][:2], path)
        self.assertEqual(self.n.ask(agent, 1, path=path[:1]), 1)

    def test_a_nested_call_whose_input_waits_for_it_fails(self):
        # The forwarder's agent gets an input that only the forwarder's own outcome can bring.
        echo = self.make("echo")
        forwarder = self.make("forwarder", args={"to": reference(self.n, echo)})
        call = new_call()
        with self.assertRaises(RpcError) as raised:
            self.n.ask(forwarder, {"content": placeholder(self.n, call)}, call=call)
        self.assertIn("cycle", kinds(raised.exception.error))


class Ending(Promise):
    def test_a_draining_node_takes_nothing_new_and_finishes_what_it_has(self):
        node = self.node()
        node.create("sleeper", "s", args={"seconds": 0.4})
        node.create("echo", "e")
        node.create("forwarder", "f", args={"to": reference(node, "e")})
        calls = [node.call("s", n)["call"] for n in range(3)]
        nested = node.call("f", placeholder(node, calls[0]))["call"]
        self.assertEqual(node.rpc("node.drain"), {})
        self.assertEqual((node.get("/readyz").status, node.get("/healthz").status), (503, 200))
        self.assertIs(node.rpc("node.info")["ready"], False)
        self.assert_error("shutting_down", -32022, node.call, "e", 1)
        self.assertEqual([node.outcome(call)["value"]["content"] for call in calls], [0, 1, 2])
        self.assertEqual(node.outcome(nested)["value"]["content"], 0, "calls that running ones make are taken")
        self.assertEqual(node.end(), 0)

    def test_sigterm_and_sigint_end_an_idle_node_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.node().end(number), 0)

    def test_node_stop_ends_it_with_0(self):
        node = self.node()
        self.assertEqual(node.rpc("node.stop"), {})
        self.assertEqual(node.wait(), 0)

    def test_running_calls_finish_within_the_grace_period(self):
        node = self.node()
        node.create("sleeper", "s", args={"seconds": 0.5})
        waiter = self.pool.submit(node.ask, "s", "kept")
        wait_for(lambda: node.rpc("node.info")["calls"]["running"] == 1, "running")
        session = self.session(node)
        call = node.rpc("call.list")["calls"][0]["call"]
        session.rpc("call.subscribe", calls=[call])
        node.send_signal(signal.SIGTERM)
        self.assertEqual(waiter.result(), "kept")
        self.assertEqual(session.settled(call)["value"]["content"], "kept")
        self.assertEqual(node.wait(), 0)

    def test_what_is_not_done_after_the_grace_period_fails_with_shutting_down(self):
        for stop in (lambda node: node.send_signal(signal.SIGTERM), lambda node: node.rpc("node.stop", grace_ms=400)):
            node = self.node(config={"grace_ms": 400})
            node.create("sleeper", "s", args=FOREVER)
            node.create("echo", "e")
            session = self.session(node)
            running, queued = (session.rpc("agent.call", agent="s", input=n)["call"] for n in range(2))
            waiting = session.rpc("agent.call", agent="e", input=placeholder(node, running))["call"]
            waiter = self.pool.submit(node.rpc, "call.get", call=queued, wait_ms=45000)
            node.wait_state(running, "running")
            stop(node)
            for call in (running, queued, waiting):
                settled = session.settled(call)
                self.assertEqual(settled["state"], "failed")
                self.assertIn("shutting_down", kinds(settled["error"]))
            self.assertEqual(waiter.result()["error"]["data"]["kind"], "shutting_down")
            self.assertEqual(session.close_code(), 1001)
            self.assertEqual(node.wait(), 0)

    def test_a_stopping_node_tells_of_each_of_thousands_of_calls(self):
        node = self.node()
        node.rpc("agent.create_many", type="sleeper", count=5000, prefix="s", args=FOREVER)
        session = self.session(node)
        calls = [new_call() for _ in range(5000)]
        for n, call in enumerate(calls):
            session.notify("agent.call", agent=f"s-{n}", call=call)
        session.sync()
        session.rpc("node.stop", grace_ms=0)
        for call in calls:
            self.assertEqual(session.settled(call)["error"]["data"]["kind"], "shutting_down")
        self.assertEqual(node.wait(), 0)

    def test_outcomes_stay_readable_while_a_node_stops(self):
        node = self.node(config={"grace_ms": 2500})
        node.create("sleeper", "s", args=FOREVER)
        node.create("echo", "e")
        done = node.call("e", "kept", wait_ms=45000)["call"]
        running = node.call("s")["call"]
        node.wait_state(running, "running")
        node.send_signal(signal.SIGTERM)
        wait_for(lambda: node.get("/readyz").status == 503, "not ready")
        self.assertEqual(node.outcome(done)["value"]["content"], "kept")
        self.assert_error("shutting_down", -32022, node.call, "e", 1)
        self.assertEqual(node.wait(), 0)

    def test_a_second_signal_does_not_make_it_fail(self):
        node = self.node(config={"grace_ms": 1000})
        node.create("sleeper", "s", args=FOREVER)
        node.wait_state(node.call("s")["call"], "running")
        node.send_signal(signal.SIGTERM)
        wait_for(lambda: node.get("/readyz").status == 503, "not ready")
        self.assertEqual(node.end(signal.SIGTERM), 0)


if __name__ == "__main__":
    main()
