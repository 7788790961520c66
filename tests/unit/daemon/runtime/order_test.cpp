#include <agentd/message.hpp>

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

using Log = std::vector<std::string>;

namespace {

/// Asks for the outcome again as soon as it is told of it.
struct Insatiable : Recorder, std::enable_shared_from_this<Insatiable> {
  explicit Insatiable(Runtime& of) : runtime(of) {}
  void settled(const Call& call, protocol::SettledMode) override {
    ++told;
    runtime.watch_id(call.id, shared_from_this(), {});
  }

  Runtime& runtime;
  std::size_t told = 0;
};

}  // namespace

TEST_CASE("nothing runs from inside the call that accepts; it runs at the end of the turn") {
  World world;
  world.make("log", "a");
  const auto call = world.call("a", {.input = "1"});
  CHECK(state_of(*call) == "queued");
  CHECK(world.log.empty());
  world.loop.run_once(std::chrono::milliseconds(0));
  CHECK(content_of(*call) == "1");
}

TEST_CASE("an agent runs one call at a time") {
  World world;
  world.make("hold", "a");
  const auto first = world.call("a", {.input = "1"});
  const auto second = world.call("a", {.input = "2", .caller = "you"});
  const auto third = world.call("a", {.input = "3", .caller = ""});
  world.settle();
  CHECK(world.log == Log{"1"});
  CHECK(state_of(*first) == "running");
  CHECK(state_of(*second) == "queued");
  world.let_go(0);
  world.settle();
  CHECK(world.log == Log{"1", "2"});
  world.let_go(1);
  world.settle();
  world.let_go(2);
  world.settle();
  CHECK(content_of(*third) == "3");
  CHECK(world.runtime->running() == 0);
}

TEST_CASE("a worker's agent runs one call at a time, too") {
  World world;
  world.make("block", "a");
  const auto first = world.call("a", {.input = "1"});
  const auto second = world.call("a", {.input = "2"});
  world.settle();
  REQUIRE(world.door.reached_by(1));
  world.settle();
  CHECK(world.door.waiting() == 1);
  CHECK(state_of(*second) == "queued");
  world.door.open();
  REQUIRE(world.until_settled(second));
  CHECK(content_of(*first) == "1");
  CHECK(content_of(*second) == "2");
}

TEST_CASE("a caller's calls to one agent keep their order, even when an earlier one waits for its input") {
  World world;
  world.make("log", "a");
  world.make("hold", "slow");
  const auto input = world.call("slow", {.input = "\"late\""});
  const auto first = world.call("a", {.input = World::placeholder(*input)});
  const auto second = world.call("a", {.input = "2"});
  world.settle();
  CHECK(state_of(*first) == "waiting");
  CHECK(state_of(*second) == "queued");
  CHECK(world.log == Log{"\"late\""});
  world.let_go();
  world.settle();
  CHECK(world.log == Log{"\"late\"", "\"late\"", "2"});
  CHECK(state_of(*first) == "done");
}

TEST_CASE("callers do not block each other, and a call without a caller blocks nobody") {
  World world;
  world.make("log", "a");
  world.make("hold", "slow");
  const auto input = world.call("slow", {.input = "0"});
  world.call("a", {.input = World::placeholder(*input)});
  world.call("a", {.input = World::placeholder(*input), .caller = ""});
  world.call("a", {.input = "2", .caller = "you"});
  world.call("a", {.input = "3", .caller = ""});
  world.settle();
  CHECK(world.log == Log{"0", "2", "3"});
}

TEST_CASE("an agent that opted out of order runs whatever is ready") {
  World world;
  protocol::AgentOptions options;
  options.ordering = protocol::Ordering::ready;
  world.make("log", "a", "{}", options);
  world.make("hold", "slow");
  const auto input = world.call("slow", {.input = "0"});
  const auto first = world.call("a", {.input = World::placeholder(*input)});
  world.call("a", {.input = "2"});
  world.settle();
  CHECK(world.log == Log{"0", "2"});
  world.let_go();
  world.settle();
  CHECK(state_of(*first) == "done");
}

TEST_CASE("calls that came while the agent was being made wait for it, in order") {
  World world;
  world.add_worker("slow-to-make", [](Agent&, const Message& input) { return input; });
  AgentType type = agent_type<Body>("door");
  type.make = [&world](const Json&) {
    world.door.pass();
    return std::make_unique<Body>();
  };
  type.methods["reply"] = AgentType::Method([&world](Agent&, const Message& input) {
    world.log.emplace_back(input.raw_content());
    return input;
  });
  world.add(std::move(type));
  protocol::AgentCreateParams params;
  params.type = "door";
  params.agent = "a";
  bool made = false;
  world.runtime->create(params, [&](const Result<AgentPtr>& agent) { made = agent.has_value(); });
  world.call("a", {.input = "1"});
  const auto second = world.call("a", {.input = "2"});
  world.settle();
  REQUIRE(world.door.reached_by(1));
  CHECK_FALSE(made);
  world.door.open();
  REQUIRE(world.until_settled(second));
  CHECK(made);
  CHECK(world.log == Log{"1", "2"});
}

TEST_CASE("a watcher that asks again whenever it is told keeps no call from its turn") {
  World world;
  world.make("log", "a");
  const auto settled = world.call("a", {.input = "1"});
  REQUIRE(world.until_settled(settled));
  const auto insatiable = std::make_shared<Insatiable>(*world.runtime);
  world.runtime->watch(*settled, insatiable, protocol::SettledMode::value);
  const auto call = world.call("a", {.input = "2"});
  world.settle();
  CHECK(insatiable->told > 1);
  CHECK(content_of(*call) == "2");
}

TEST_CASE("many agents that become ready at once all run, over several turns") {
  World world;
  constexpr int count = 10'000;
  std::vector<CallPtr> calls;
  for (int i = 0; i < count; ++i) {
    world.make("echo", "a-" + std::to_string(i));
    calls.push_back(world.call("a-" + std::to_string(i), {.input = std::to_string(i)}));
  }
  CHECK(world.until([&] { return world.runtime->unsettled() == 0; }));
  CHECK(content_of(*calls.back()) == std::to_string(count - 1));
}

}  // namespace agentd::runtime
