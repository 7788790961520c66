#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

using namespace std::chrono_literals;

namespace {

ErrorKind kind_of(const Call& call) {
  REQUIRE(call.error);
  return call.error->kind();
}

}  // namespace

TEST_CASE("a call that waits for its inputs settles by its deadline, and leaves its lane") {
  World world;
  world.make("hold", "slow");
  world.make("echo", "a");
  const auto input = world.call("slow");
  const auto call = world.call("a", {.input = World::placeholder(*input), .deadline = 20ms});
  const auto next = world.call("a", {.input = "2"});
  const auto watcher = world.watch(*call);
  REQUIRE(world.until_settled(call));
  CHECK(kind_of(*call) == ErrorKind::deadline_exceeded);
  CHECK(call->error->message().find("waiting") != std::string::npos);
  CHECK(watcher->error.agent() == "a");
  world.settle();
  CHECK(state_of(*next) == "done");
  CHECK(state_of(*input) == "running");
}

TEST_CASE("a queued call settles by its deadline, and does not run") {
  World world;
  world.make("hold", "a");
  world.call("a", {.input = "1"});
  const auto call = world.call("a", {.input = "2", .deadline = 20ms});
  REQUIRE(world.until_settled(call));
  CHECK(kind_of(*call) == ErrorKind::deadline_exceeded);
  world.let_go();
  world.settle();
  CHECK(world.log.size() == 1);
}

TEST_CASE("a coroutine's call settles by its deadline, and its sleep ends") {
  World world;
  world.make("sleeper", "a", R"({"seconds":3600})");
  const auto call = world.call("a", {.deadline = 20ms});
  const auto next = world.call("a", {.deadline = 40ms});
  REQUIRE(world.until_settled(call));
  CHECK(kind_of(*call) == ErrorKind::deadline_exceeded);
  REQUIRE(world.until_settled(next));
  CHECK(world.until([&] { return world.runtime->running() == 0; }));
}

TEST_CASE("a call on a worker settles by its deadline; the agent is busy until the method returns") {
  World world;
  world.add_worker("stubborn", [&world](Agent&, const Message& input) {
    world.door.pass();
    world.log.emplace_back(this_call::cancelled() ? "given up" : "wanted");
    return input;
  });
  world.make("stubborn", "a");
  const auto call = world.call("a", {.input = "1", .deadline = 20ms});
  const auto next = world.call("a", {.input = "2"});
  REQUIRE(world.until_settled(call));
  CHECK(kind_of(*call) == ErrorKind::deadline_exceeded);
  CHECK(world.runtime->running() == 1);
  CHECK(world.runtime->running_unsettled() == 0);
  CHECK(state_of(*next) == "queued");
  world.door.open();
  REQUIRE(world.until_settled(next));
  CHECK(state_of(*next) == "done");
  CHECK(world.log == std::vector<std::string>{"given up", "wanted"});
  CHECK(state_of(*call) == "failed");
}

TEST_CASE("an agent's deadline is the default of its calls, and the node's where it has none") {
  Limits limits;
  limits.deadline = 1h;
  World world(limits);
  protocol::AgentOptions options;
  options.deadline = 15ms;
  world.make("hold", "hasty", "{}", options);
  world.make("hold", "patient");
  const auto hasty = world.call("hasty");
  const auto longer = world.call("hasty", {.deadline = 1h});
  const auto patient = world.call("patient");
  const auto now = Runtime::Clock::now();
  CHECK(hasty->deadline < now + 1s);
  CHECK(longer->deadline > now + 50min);
  CHECK(patient->deadline > now + 50min);
  REQUIRE(world.until_settled(hasty));
  CHECK(state_of(*longer) != "failed");
}

TEST_CASE("cancelling a waiting or queued call drops it") {
  World world;
  world.make("hold", "slow");
  world.make("log", "a");
  const auto input = world.call("slow");
  const auto waiting = world.call("a", {.input = World::placeholder(*input)});
  const auto queued = world.call("a", {.input = "2"});
  const auto kept = world.call("a", {.input = "3"});
  world.settle();
  CHECK(world.runtime->cancel(*queued) == CallState::cancelled);
  CHECK(world.runtime->cancel(*waiting) == CallState::cancelled);
  world.settle();
  CHECK(kind_of(*waiting) == ErrorKind::cancelled);
  CHECK(world.log.size() == 2);
  CHECK(state_of(*kept) == "done");
  // Its own inputs are not cancelled.
  CHECK(state_of(*input) == "running");
  CHECK(world.runtime->tally().cancelled == 2);
}

TEST_CASE("cancelling a running call settles it at once, and its dependents fail with it as their cause") {
  World world;
  world.make("sleeper", "a", R"({"seconds":3600})");
  world.make("echo", "b");
  const auto call = world.call("a");
  const auto dependent = world.call("b", {.input = World::placeholder(*call)});
  const auto watcher = world.watch(*call);
  world.settle();
  CHECK(world.runtime->cancel(*call) == CallState::cancelled);
  CHECK(watcher->states == std::vector<std::string>{"cancelled"});
  world.settle();
  CHECK(kind_of(*dependent) == ErrorKind::input_failed);
  CHECK(dependent->error->root().kind() == ErrorKind::cancelled);
  CHECK(world.runtime->running() == 0);
}

TEST_CASE("cancelling a settled call changes nothing") {
  World world;
  world.make("echo", "a");
  const auto call = world.call("a", {.input = "1"});
  world.settle();
  CHECK(world.runtime->cancel(*call) == CallState::done);
  CHECK(content_of(*call) == "1");
}

TEST_CASE("a coroutine that held on past its cancel settles nothing, and frees its agent") {
  World world;
  world.make("hold", "a");
  const auto call = world.call("a", {.input = "1"});
  const auto next = world.call("a", {.input = "2"});
  world.settle();
  world.runtime->cancel(*call);
  world.settle();
  CHECK(state_of(*next) == "queued");
  world.let_go();
  world.settle();
  CHECK(state_of(*call) == "cancelled");
  CHECK(state_of(*next) == "running");
}

}  // namespace agentd::runtime
