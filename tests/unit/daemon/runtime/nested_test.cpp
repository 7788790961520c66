#include <thread>

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

namespace {

using namespace std::chrono_literals;

AgentRef there() {
  return Json{{"$agent", {{"host", "there"}, {"port", 9}, {"agent", "x"}}}}.get<AgentRef>();
}
AgentRef here(const std::string& agent) { return Json::parse(World::ref(agent)).get<AgentRef>(); }

Task<Message> ask_twice(Message input) {
  const Message first = here("a")(input);
  const Message second = here("b")(first);
  const Message answer = co_await second;
  co_return answer;
}

Task<Message> nap_for(std::chrono::milliseconds duration, Message input) {
  co_await this_call::sleep(duration);
  co_return input;
}

}  // namespace

TEST_CASE("a coroutine calls other agents of its node, and hands on what is not there yet") {
  World world;
  world.make("echo", "a");
  world.make("echo", "b");
  world.add_coroutine("asks", [](Agent&, Message input) { return ask_twice(std::move(input)); });
  world.make("asks", "c");
  const auto call = world.call("c", {.input = "7"});
  world.settle();
  CHECK(content_of(*call) == "7");
  // What it asked for was released with the messages.
  CHECK(world.runtime->settled() == 1);
}

TEST_CASE("a worker calls other agents and waits for them") {
  World world({}, 1);
  world.make("echo", "a");
  world.make("block", "b");
  world.door.open();
  world.add_worker("asks", [](Agent&, const Message& input) {
    const Message first = here("a")(input);
    return Message(Json{here("b")(first).content(), this_call::id().text().size()});
  });
  world.make("asks", "c");
  const auto call = world.call("c", {.input = "7"});
  REQUIRE(world.until_settled(call));
  CHECK(content_of(*call) == "[7,26]");
  CHECK(world.until([&] { return world.runtime->settled() == 1; }));
}

TEST_CASE("a quick method cannot wait, and is told what to do; it may answer with what is not there yet") {
  World world;
  world.make("hold", "a");
  world.add_quick("waits", [](Agent&, const Message& input) { return Message(here("a")(input).content()); });
  world.add_quick("hands-on", [](Agent&, const Message& input) { return here("a")(input); });
  world.make("waits", "w");
  world.make("hands-on", "h");
  const auto waits = world.call("w", {.input = "1"});
  world.settle();
  REQUIRE(waits->error);
  CHECK(waits->error->message().find("co_await") != std::string::npos);
  world.let_go();
  world.settle();

  const auto call = world.call("h", {.input = "2"});
  const auto next = world.call("h", {.input = "3"});
  world.settle();
  CHECK(state_of(*call) == "running");
  CHECK(state_of(*next) == "queued");
  world.let_go(1);
  world.settle();
  CHECK(content_of(*call) == "2");
  world.let_go(2);
  world.settle();
  CHECK(content_of(*next) == "3");
}

TEST_CASE("who is told of an outcome is outside of the method that made it") {
  struct Asking : Watcher {
    void settled(const Call&, protocol::SettledMode) override { told_in = this_call::id(); }
    void unknown(const CallId&, const Error&) override {}
    CallId told_in = CallId::mint();
  };
  World world;
  world.make("echo", "a");
  const auto call = world.call("a", {.input = "1"});
  const auto watcher = std::make_shared<Asking>();
  world.runtime->watch(*call, watcher, protocol::SettledMode::value);
  world.settle();
  CHECK(content_of(*call) == "1");
  CHECK(watcher->told_in.empty());
}

TEST_CASE("what a method called goes on when the method fails") {
  World world;
  world.make("log", "a");
  world.make("hold", "slow");
  world.add_coroutine("hasty", [](Agent&, Message input) -> Task<Message> {
    (void)here("a")(input);
    (void)here("slow")(input);
    throw std::runtime_error("no patience");
    co_return input;
  });
  world.make("hasty", "h");
  const auto call = world.call("h", {.input = "1"});
  world.settle();
  REQUIRE(call->error);
  CHECK(world.log == std::vector<std::string>{"1", "1"});
  CHECK(world.runtime->tally().cancelled == 0);
  CHECK(world.runtime->running() == 1);
}

TEST_CASE("a method that answers with a call that fails has failed, with that as the cause") {
  World world;
  world.make("failer", "a");
  world.add_quick("hands-on", [](Agent&, const Message& input) { return here("a")(input); });
  world.make("hands-on", "h");
  const auto call = world.call("h", {.input = "\"no luck\""});
  world.settle();
  REQUIRE(call->error);
  CHECK(call->error->kind() == ErrorKind::agent_failed);
  CHECK(call->error->agent() == "h");
  CHECK(call->error->root().agent() == "a");
  CHECK(call->error->root().message() == "no luck");
}

TEST_CASE("a worker may answer with a call that is not there yet, and the agent is busy until it is") {
  World world;
  world.make("hold", "a");
  world.add_worker("hands-on", [](Agent&, const Message& input) { return here("a")(input); });
  world.make("hands-on", "h");
  const auto call = world.call("h", {.input = "2"});
  const auto next = world.call("h", {.input = "3"});
  REQUIRE(world.until([&] { return world.holds.size() == 1; }));
  world.settle();
  CHECK(state_of(*call) == "running");
  CHECK(state_of(*next) == "queued");
  SECTION("settled") {
    world.let_go();
    REQUIRE(world.until_settled(call));
    CHECK(content_of(*call) == "2");
  }
  SECTION("or cancelled, and then what it waits for is cancelled too") {
    world.runtime->cancel(*call);
    CHECK(world.until([&] { return world.runtime->tally().cancelled == 2; }));
    world.let_go();
    REQUIRE(world.until([&] { return world.holds.size() == 2; }));
    CHECK(state_of(*next) == "running");
  }
}

TEST_CASE("a nested call has what is left of the deadline, and the path of agents it came through") {
  World world;
  world.make("forwarder", "f", R"({"to":{"$agent":{"host":"there","port":9,"agent":"x"}}})");
  const auto call = world.call("f", {.input = "1", .deadline = 1h, .path = {"away:3/y"}});
  world.settle();
  REQUIRE(world.foreign.called.size() == 1);
  const ForeignCall& nested = world.foreign.called[0].call;
  CHECK(nested.agent.text() == "there:9/x");
  CHECK(nested.method == "reply");
  CHECK(nested.deadline == call->deadline);
  CHECK(nested.caller == "here:1/f");
  CHECK(nested.path == std::vector<std::string>{"away:3/y", "here:1/f"});
  CHECK(nested.input.raw_content() == "1");
}

TEST_CASE("a nested call's own deadline only shortens") {
  World world;
  std::vector<std::chrono::milliseconds> options = {1ms, 24h, std::chrono::milliseconds::max()};
  world.add_quick("asks", [&options](Agent&, const Message&) {
    for (const auto deadline : options) (void)there().call("reply", 1, {deadline});
    return Message(1);
  });
  world.make("asks", "a");
  const auto call = world.call("a", {.deadline = 1h});
  world.settle();
  REQUIRE(world.foreign.called.size() == 3);
  CHECK(world.foreign.called[0].call.deadline < call->deadline);
  CHECK(world.foreign.called[1].call.deadline == call->deadline);
  CHECK(world.foreign.called[2].call.deadline == call->deadline);
}

TEST_CASE("a foreign call's outcome, progress, failure and release go their way") {
  World world;
  std::vector<std::string> progress;
  world.add_coroutine("asks", [&progress](Agent&, Message input) {
    return [](std::vector<std::string>& seen, Message given) -> Task<Message> {
      const Message answer = there()(given);
      answer.on_progress([&seen](const Json& value) { seen.push_back(value.dump()); });
      co_return co_await answer;
    }(progress, std::move(input));
  });
  world.make("asks", "a");
  const auto call = world.call("a", {.input = "1"});
  world.settle();
  REQUIRE(world.foreign.called.size() == 1);
  auto& nested = world.foreign.called[0];
  // A peer may send what no double holds.
  nested.on_progress("1e999");
  nested.on_progress("[1]");
  SECTION("done") {
    nested.on_outcome(message_of("2"));
    world.settle();
    CHECK(content_of(*call) == "2");
  }
  SECTION("failed") {
    nested.on_outcome(Error(ErrorKind::peer_unreachable, "gone"));
    world.settle();
    REQUIRE(call->error);
    CHECK(call->error->root().kind() == ErrorKind::peer_unreachable);
  }
  SECTION("cancelled") {
    world.runtime->cancel(*call);
    REQUIRE(world.foreign.cancelled.size() == 1);
    CHECK(world.foreign.cancelled[0].call == nested.call.call);
    nested.on_outcome(Error(ErrorKind::cancelled, "cancelled"));
    world.settle();
  }
  CHECK(progress == std::vector<std::string>{"[1]"});
  CHECK(world.runtime->running() == 0);
  world.foreign.called.clear();
  world.settle();
  REQUIRE(world.foreign.released.size() == 1);
  CHECK(world.foreign.released[0].node.text() == "there:9");
}

TEST_CASE("progress of a nested call on this node reaches whoever made it") {
  World world;
  std::vector<std::string> progress;
  world.add_quick("tells", [](Agent&, const Message& input) {
    this_call::progress("half");
    return input;
  });
  world.add_coroutine("asks", [&progress](Agent&, Message input) {
    return [](std::vector<std::string>& seen, Message given) -> Task<Message> {
      const Message answer = here("t")(given);
      answer.on_progress([&seen](const Json& value) { seen.push_back(value); });
      co_return co_await answer;
    }(progress, std::move(input));
  });
  world.make("tells", "t");
  world.make("asks", "a");
  const auto call = world.call("a", {.input = "1"});
  world.settle();
  CHECK(content_of(*call) == "1");
  CHECK(progress == std::vector<std::string>{"half"});
}

TEST_CASE("a nested call that is refused fails what depends on it at once, with the reason") {
  World world;
  world.make("echo", "b");
  world.add_coroutine("asks", [](Agent&, Message) -> Task<Message> {
    const Message refused = here("nobody")(1);
    const Message dependent = here("b")(refused);
    co_return co_await dependent;
  });
  world.make("asks", "a");
  const auto call = world.call("a");
  world.settle();
  REQUIRE(call->error);
  CHECK(call->error->root().kind() == ErrorKind::agent_not_found);
}

TEST_CASE("a message made by any thread settles a nested call that was given it") {
  World world;
  world.make("echo", "b");
  const auto late = std::make_shared<detail::Cell>();
  world.add_coroutine(
      "asks", [late](Agent&, Message) -> Task<Message> { co_return co_await here("b")(Message(late)); });
  world.make("asks", "a");
  const auto call = world.call("a");
  world.settle();
  CHECK(state_of(*call) == "running");
  std::thread settler([&] { late->settle(message_of("[3]")); });
  REQUIRE(world.until_settled(call));
  settler.join();
  CHECK(content_of(*call) == "[3]");
}

TEST_CASE("a method that has ended keeps its call no longer, whoever holds its context") {
  World world;
  // As what settles a message on another thread does, until a moment after it has said so.
  std::shared_ptr<detail::CallContext> held;
  world.add_coroutine("asks", [&held](Agent&, Message input) -> Task<Message> {
    held = detail::current_context()->shared_from_this();
    co_await this_call::sleep(1ms);
    co_return input;
  });
  world.make("asks", "a");
  const auto call = world.call("a", {.input = "1"});
  REQUIRE(world.until_settled(call));
  CHECK(world.runtime->release(call->id));
  CHECK(call->use_count() == 1);
}

TEST_CASE("many workers that wait for each other do not use up the pool") {
  World world({}, 1);
  world.add_worker("asks", [](Agent&, const Message& input) {
    const int left = input.content().get<int>();
    if (left == 0) return Message("end");
    return Message(here("a-" + std::to_string(left - 1))(left - 1).content());
  });
  for (int i = 0; i <= 30; ++i) world.make("asks", "a-" + std::to_string(i));
  const auto call = world.call("a-30", {.input = "30"});
  REQUIRE(world.until_settled(call));
  CHECK(content_of(*call) == "\"end\"");
}

TEST_CASE("past the bound of waiting workers a read fails with overloaded") {
  Limits limits;
  limits.blocked_workers = 2;
  World world(limits, 1);
  world.add_worker("asks", [](Agent&, const Message& input) {
    const int left = input.content().get<int>();
    if (left == 0) return Message("end");
    return Message(here("a-" + std::to_string(left - 1))(left - 1).content());
  });
  for (int i = 0; i <= 5; ++i) world.make("asks", "a-" + std::to_string(i));
  const auto call = world.call("a-5", {.input = "5"});
  REQUIRE(world.until_settled(call));
  REQUIRE(call->error);
  CHECK(call->error->root().kind() == ErrorKind::overloaded);
  CHECK(call->error->root().details().at("limit") == "blocked_workers");
  CHECK(world.until([&] { return world.runtime->running() == 0; }));
}

TEST_CASE("cancelling a call cancels what it called, as deep as that goes") {
  World world;
  constexpr int depth = 500;
  world.make("sleeper", "a-0", R"({"seconds":3600})");
  for (int i = 1; i <= depth; ++i) {
    world.make("forwarder", "a-" + std::to_string(i),
               R"({"to":)" + World::ref("a-" + std::to_string(i - 1)) + "}");
  }
  const auto call = world.call("a-" + std::to_string(depth), {.input = "1"});
  REQUIRE(world.until([&] { return world.runtime->running() == depth + 1; }));
  world.runtime->cancel(*call);
  CHECK(world.until([&] { return world.runtime->running() == 0; }));
  CHECK(world.runtime->tally().cancelled == depth + 1);
}

TEST_CASE("a coroutine sleeps without holding anything, and wakes on its loop") {
  World world;
  world.add_coroutine("naps", [](Agent&, Message input) { return nap_for(2ms, std::move(input)); });
  std::vector<CallPtr> calls;
  for (int i = 0; i < 1000; ++i) {
    world.make("naps", "a-" + std::to_string(i));
    calls.push_back(world.call("a-" + std::to_string(i), {.input = std::to_string(i)}));
  }
  CHECK(world.until([&] { return world.runtime->unsettled() == 0; }));
  CHECK(content_of(*calls[999]) == "999");
}

}  // namespace agentd::runtime
