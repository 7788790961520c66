#include <thread>

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

namespace {

using namespace std::chrono_literals;

AgentRef here(const std::string& agent) { return Json::parse(World::ref(agent)).get<AgentRef>(); }

bool close(World& world, Runtime::Clock::duration patience = 20s) {
  return world.runtime->close(Runtime::Clock::now() + patience);
}

/// Cancels another call as soon as it is told of the one that it watches.
struct Canceller : Recorder {
  Canceller(Runtime& runtime, CallPtr other) : runtime_(runtime), other_(std::move(other)) {}
  void settled(const Call&, protocol::SettledMode) override { runtime_.cancel(*other_); }

private:
  Runtime& runtime_;
  CallPtr other_;
};

ErrorKind kind_of(const Call& call) {
  REQUIRE(call.error);
  return call.error->kind();
}

}  // namespace

TEST_CASE("a call that another one's end has settled does not settle again when all are ended") {
  World world;
  world.make("hold", "a");
  const auto running = world.call("a");
  const auto first = world.call("a", {.id = "first"});
  const auto second = world.call("a", {.id = "second"});
  world.settle();
  world.runtime->release(second->id);
  world.runtime->watch(*first, std::make_shared<Canceller>(*world.runtime, second),
                       protocol::SettledMode::value);
  const auto told = world.watch(*second);
  SECTION("by the node's end") { CHECK(world.runtime->fail_unsettled()); }
  SECTION("by the agent's end") { REQUIRE(world.runtime->remove("a").has_value()); }
  CHECK(told->states == std::vector<std::string>{"cancelled"});
  CHECK(world.runtime->tally().cancelled == 1);
  CHECK(world.runtime->tally().released == 1);
  CHECK(world.runtime->unsettled() == (running->is_settled() ? 0 : 1));
}

TEST_CASE("a call that was released holds its input no longer") {
  World world;
  world.make("echo", "a");
  const auto call = world.call("a", {.input = R"({"content":"x"})"});
  REQUIRE(world.until_settled(call));
  CHECK(call->input.bytes() > 0);
  REQUIRE(world.runtime->release(call->id));
  CHECK(call->input.bytes() == 0);
}

TEST_CASE("a draining node admits nothing but what its agents call, and lets queued calls go on") {
  World world;
  world.make("echo", "a");
  world.make("block", "b");
  world.add_worker("asks", [&world](Agent&, const Message& input) {
    world.door.pass();
    return Message(here("a")(input).content());
  });
  world.make("asks", "c");
  const auto running = world.call("c", {.input = "1"});
  const auto queued = world.call("c", {.input = "2"});
  world.settle();
  REQUIRE(world.door.reached_by(1));
  world.runtime->drain();
  CHECK(world.try_call("a").error().kind() == ErrorKind::shutting_down);
  std::optional<Error> why;
  protocol::AgentCreateParams params;
  params.type = "echo";
  world.runtime->create(params, [&](const Result<AgentPtr>& made) { why = made.error(); });
  REQUIRE(why);
  CHECK(why->kind() == ErrorKind::shutting_down);
  world.door.open();
  REQUIRE(world.until_settled(queued));
  CHECK(content_of(*running) == "1");
  CHECK(content_of(*queued) == "2");
}

TEST_CASE("a draining node still joins a call that it has") {
  World world;
  world.make("hold", "a");
  const auto call = world.call("a", {.input = "1", .id = "c"});
  world.runtime->drain();
  CHECK(world.call("a", {.input = "1", .id = "c"}) == call);
}

TEST_CASE("failing what has not settled fails what waits, is queued, and runs") {
  World world;
  world.make("hold", "a");
  const auto running = world.call("a", {.input = "1"});
  const auto queued = world.call("a", {.input = "2"});
  const auto waiting = world.call("a", {.input = World::placeholder(*queued)});
  world.settle();
  world.runtime->drain();
  CHECK(world.runtime->fail_unsettled());
  for (const auto& call : {running, queued, waiting}) CHECK(kind_of(*call) == ErrorKind::shutting_down);
  CHECK(world.runtime->unsettled() == 0);
}

TEST_CASE("many unsettled calls fail in parts, those that come meanwhile too, and each once") {
  World world;
  world.make("hold", "a");
  world.make("echo", "b");
  const auto kept = world.call("b");
  std::vector<CallPtr> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(world.call("a"));
  world.settle();
  CHECK_FALSE(world.runtime->fail_unsettled(4));
  CHECK(world.runtime->unsettled() == 7);
  // The next part begins behind one that is forgotten meanwhile.
  CHECK(world.runtime->release(calls[2]->id));
  CHECK_FALSE(world.runtime->fail_unsettled(4));
  CHECK(world.runtime->unsettled() == 3);
  calls.push_back(world.call("a"));
  CHECK(world.runtime->fail_unsettled(4));
  CHECK(world.runtime->unsettled() == 0);
  CHECK(world.runtime->tally().failed == 11);
  CHECK(state_of(*kept) == "done");
  // From the beginning again.
  calls.push_back(world.call("a"));
  CHECK(world.runtime->fail_unsettled(100));
  CHECK(state_of(*calls.back()) == "failed");
}

TEST_CASE("between the parts no method begins, and what waits for a failed call shuts down too") {
  World world;
  world.make("hold", "a");
  world.make("log", "busy");
  world.make("log", "idle");
  std::vector<CallPtr> calls{
      world.call("busy", {.input = World::placeholder("0123456789abcdef", "there", 9)}),
      world.call("a", {.input = "1"}), world.call("a", {.input = "2"})};
  // Nothing but the first one, of the same caller, keeps this one from its turn.
  calls.push_back(world.call("busy", {.input = "3"}));
  for (const CallPtr& input : std::vector(calls)) {
    calls.push_back(world.call("idle", {.input = World::placeholder(*input), .caller = ""}));
  }
  world.settle();
  CHECK(world.runtime->unsettled() == calls.size());
  while (!world.runtime->fail_unsettled(1)) world.settle();
  world.settle();
  for (const CallPtr& call : calls) CHECK(kind_of(*call) == ErrorKind::shutting_down);
  CHECK(world.log == std::vector<std::string>{"1"});
  CHECK_FALSE(world.runtime->has_work());
}

TEST_CASE("steps that have not had their turn fail with the calls, whoever waits for them is told") {
  World world;
  world.make("log", "a");
  const auto waiting = world.call("a", {.input = World::placeholder("0123456789abcdef", "there", 9)});
  std::vector<std::string> told;
  const auto note = [&told](const Result<AgentPtr>& made) {
    told.emplace_back(made ? "made" : kind_name(made.error().kind()));
  };
  world.runtime->clone("a", "copy", world.runtime->caller("me"), note);
  world.settle();
  protocol::AgentCreateParams params;
  params.type = "log";
  world.runtime->create(std::move(params), note);
  CHECK(world.runtime->fail_unsettled());
  world.settle();
  CHECK(told == std::vector<std::string>{"shutting_down", "shutting_down"});
  CHECK_FALSE(world.runtime->has_work());
}

TEST_CASE("a call that a million wait for settles them over several turns") {
  World world;
  world.make("hold", "first");
  world.make("echo", "b");
  const auto awaited = world.call("first", {.input = "7"});
  std::vector<CallPtr> calls;
  for (int i = 0; i < 5000; ++i) {
    calls.push_back(world.call("b", {.input = World::placeholder(*awaited), .caller = ""}));
  }
  world.settle();
  world.let_go();
  int turns = 0;
  while (world.runtime->unsettled() > 0 && turns < 1000) {
    world.loop.run_once(std::chrono::milliseconds(0));
    ++turns;
  }
  CHECK(turns > 2);
  for (const auto& call : calls) CHECK(content_of(*call) == "7");
}

TEST_CASE("a runtime closes with calls in every state, and leaves nothing behind") {
  // Whatever is left behind, the leak checker finds.
  World world;
  world.make("hold", "slow");
  world.make("hold", "gone");
  world.make("sleeper", "sleeps", R"({"seconds":3600})");
  world.make("forwarder", "f", R"({"to":)" + World::ref("slow") + "}");
  world.add_quick("hands-on", [](Agent&, const Message& input) { return here("slow")(input); });
  world.make("hands-on", "h");
  const auto slow = world.call("slow", {.input = "1"});
  world.call("slow", {.input = "2"});
  world.call("slow", {.input = World::placeholder(*slow), .caller = ""});
  world.call("slow", {.input = World::placeholder(id_of("unknown").text())});
  world.call("slow", {.input = World::placeholder("0123456789abcdef", "there", 9)});
  world.call("sleeps");
  world.call("f", {.input = "3"});
  world.call("h", {.input = "4"});
  const auto gone = world.call("gone", {.input = "5"});
  world.watch(*slow);
  world.runtime->watch_id(id_of("other"), std::make_shared<Recorder>(), 1h);
  world.settle();
  CHECK(state_of(*gone) == "running");
  REQUIRE(world.runtime->remove("gone").has_value());
  world.runtime->release(gone->id);
  CHECK(close(world));
  CHECK(close(world));
}

TEST_CASE("a closed runtime is left alone by what comes late") {
  World world;
  world.make("hold", "a");
  const auto call = world.call("a", {.input = World::placeholder("0123456789abcdef", "there", 9)});
  world.call("a", {.input = "1", .caller = "you"});
  world.settle();
  CHECK(close(world));
  world.foreign.watched.at(0).on_outcome(message_of("1"));
  world.let_go();
  world.settle();
  CHECK(state_of(*call) == "waiting");
}

TEST_CASE("a runtime that closes waits for a worker, a while") {
  World world;
  world.make("block", "a");
  world.call("a", {.input = "1"});
  world.call("a", {.input = "2"});
  world.settle();
  REQUIRE(world.door.reached_by(1));
  CHECK_FALSE(close(world, 0s));
  world.door.open();
  CHECK(close(world));
}

TEST_CASE("a worker that waits for a message when the runtime closes is let go") {
  World world;
  world.make("hold", "slow");
  std::optional<Error> seen;
  world.add_worker("asks", [&](Agent&, const Message& input) {
    const Message answer = here("slow")(input);
    world.door.pass();
    try {
      (void)answer.content();
    } catch (const Error& error) {
      seen = error;
    }
    // Nor does it wait for anything else.
    CHECK_THROWS_AS(here("slow")(input).content(), Error);
    return input;
  });
  world.make("asks", "a");
  world.call("a", {.input = "1"});
  world.settle();
  REQUIRE(world.door.reached_by(1));
  SECTION("whether it waits already") {
    world.door.open();
    REQUIRE(world.until([&] { return world.runtime->workers().waiting() == 1; }));
    CHECK(close(world));
  }
  SECTION("or is about to") {
    CHECK_FALSE(close(world, 0s));
    world.door.open();
    CHECK(close(world));
  }
  REQUIRE(seen);
  CHECK(seen->kind() == ErrorKind::shutting_down);
}

TEST_CASE("a message outlives the runtime that answered it") {
  Message kept;
  {
    World world;
    world.make("echo", "a");
    world.make("hold", "slow");
    world.add_coroutine("asks", [&kept](Agent&, Message input) -> Task<Message> {
      kept = here("a")(input);
      co_return co_await kept;
    });
    world.make("asks", "b");
    const auto call = world.call("b", {.input = "7"});
    world.settle();
    CHECK(content_of(*call) == "7");
  }
  CHECK(kept.content() == 7);
  kept.cancel();
}

}  // namespace agentd::runtime
