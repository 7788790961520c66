#include "daemon/runtime/circles.hpp"

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

namespace {

std::string to(const std::string& agent) { return R"({"to":)" + World::ref(agent) + "}"; }

/// Whether the call, or what failed it, is a cycle.
bool failed_with_cycle(const Call& call) {
  return call.error && call.error->root().kind() == ErrorKind::cycle;
}

}  // namespace

TEST_CASE("a call that has itself as an input is refused") {
  World world;
  world.make("echo", "a");
  const auto call =
      world.try_call("a", {.input = "[" + World::placeholder(id_of("c").text()) + "]", .id = "c"});
  REQUIRE_FALSE(call.has_value());
  CHECK(call.error().kind() == ErrorKind::cycle);
  CHECK(call.error().details().at("path") == Json{"here:1/a", "here:1/a"});
}

TEST_CASE(
    "calls that wait for each other through placeholders fail at once; the one that closes the circle "
    "first") {
  World world;
  world.make("echo", "a");
  world.make("echo", "b");
  const auto a = world.call("a", {.input = World::placeholder(id_of("b").text()), .id = "a"});
  const auto b = world.call("b", {.input = World::placeholder(id_of("a").text()), .id = "b"});
  REQUIRE(b->error);
  CHECK(b->error->kind() == ErrorKind::cycle);
  CHECK(b->error->details().at("path") == Json{"here:1/b", "here:1/a", "here:1/b"});
  world.settle();
  REQUIRE(a->error);
  CHECK(a->error->kind() == ErrorKind::input_failed);
  CHECK(failed_with_cycle(*a));
}

TEST_CASE("a circle through a lane fails at once") {
  World world;
  world.make("echo", "a");
  // The second call of the lane is the first one's input: neither could ever run.
  const auto first = world.call("a", {.input = World::placeholder(id_of("second").text()), .id = "first"});
  const auto second = world.call("a", {.input = "2", .id = "second"});
  CHECK(failed_with_cycle(*second));
  world.settle();
  CHECK(failed_with_cycle(*first));
}

TEST_CASE("without lanes in common the same calls are no circle") {
  World world;
  world.make("echo", "a");
  const auto first = world.call("a", {.input = World::placeholder(id_of("second").text()), .id = "first"});
  const auto second = world.call("a", {.input = "2", .id = "second", .caller = "you"});
  world.settle();
  CHECK(content_of(*first) == "2");
  CHECK(content_of(*second) == "2");
}

TEST_CASE("calls without a lane do not wait for each other") {
  World world;
  world.make("echo", "a");
  const auto first = world.call("a", {.input = World::placeholder(id_of("second").text()), .caller = ""});
  const auto second =
      world.call("a", {.input = World::placeholder(id_of("third").text()), .id = "second", .caller = ""});
  CHECK(state_of(*second) == "waiting");
  world.call("a", {.input = "3", .id = "third", .caller = ""});
  world.settle();
  CHECK(content_of(*first) == "3");
}

TEST_CASE("a call to an agent on its path is a cycle, and says the way") {
  World world;
  world.make("echo", "a");
  const auto call = world.try_call("a", {.input = "1", .path = {"there:2/x", "here:1/a"}});
  REQUIRE_FALSE(call.has_value());
  CHECK(call.error().kind() == ErrorKind::cycle);
  CHECK(call.error().details().at("path") == Json{"there:2/x", "here:1/a", "here:1/a"});
  CHECK(world.try_call("a", {.input = "1", .path = {"there:1/a", "here:1/b", "here:2/a"}}).has_value());
}

TEST_CASE("forwarders in a ring fail with a cycle") {
  World world;
  world.make("forwarder", "a", to("b"));
  world.make("forwarder", "b", to("c"));
  world.make("forwarder", "c", to("a"));
  const auto call = world.call("a", {.input = "1"});
  world.settle();
  CHECK(failed_with_cycle(*call));
  CHECK(call->error->kind() == ErrorKind::agent_failed);
}

TEST_CASE("two forwarders that call each other at once fail, and do not wait for their deadline") {
  World world;
  world.make("forwarder", "a", to("b"));
  world.make("forwarder", "b", to("a"));
  const auto a = world.call("a", {.input = "1"});
  const auto b = world.call("b", {.input = "1"});
  REQUIRE(world.until([&] { return a->is_settled() && b->is_settled(); }));
  CHECK((failed_with_cycle(*a) || failed_with_cycle(*b)));
}

TEST_CASE("two workers that call each other at once fail, and do not wait for their deadline") {
  World world;
  AgentType type = agent_type<Body>("asker");
  struct Asker : Agent {
    explicit Asker(const Json& args) : to(args.at("to").get<AgentRef>()) {}
    AgentRef to;
  };
  type.make = [](const Json& args) { return std::make_unique<Asker>(args); };
  type.methods["reply"] = AgentType::Method([&world](Agent& agent, const Message& input) {
    world.door.pass();
    return Message(static_cast<Asker&>(agent).to(input).content());
  });
  world.add(std::move(type));
  world.make("asker", "a", to("b"));
  world.make("asker", "b", to("a"));
  const auto a = world.call("a", {.input = "1"});
  const auto b = world.call("b", {.input = "1"});
  world.settle();
  REQUIRE(world.door.reached_by(2));
  world.door.open();
  REQUIRE(world.until([&] { return a->is_settled() && b->is_settled(); }));
  CHECK((failed_with_cycle(*a) || failed_with_cycle(*b)));
}

TEST_CASE("an agent that calls one which waits for its own running call fails with a cycle") {
  World world;
  world.make("forwarder", "a", to("b"));
  world.make("echo", "b");
  // b's first call waits for the outcome of a's call; a's nested call to b comes from another lane.
  const auto call = world.call("a", {.input = "1", .id = "outer"});
  const auto blocked = world.call("b", {.input = World::placeholder(*call)});
  world.settle();
  // Other lanes do not block each other: this is no circle.
  CHECK(content_of(*call) == "1");
  CHECK(content_of(*blocked) == "1");
}

TEST_CASE("a long lane is no burden to a caller that fans out") {
  World world;
  world.add_coroutine("fan", [](Agent&, Message input) -> Task<Message> {
    const auto target = input.content().get<AgentRef>();
    std::vector<Message> answers;
    for (int i = 0; i < 9'000; ++i) answers.push_back(target(i));
    const Message all = agentd::when_all(answers);
    co_await all;
    co_return all.content().size();
  });
  world.make("fan", "f");
  world.make("echo", "a");
  const auto call = world.call("f", {.input = R"({"content":)" + World::ref("a") + "}"});
  REQUIRE(world.until_settled(call));
  CHECK(content_of(*call) == "9000");
}

}  // namespace agentd::runtime
