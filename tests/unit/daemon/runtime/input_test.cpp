#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

TEST_CASE("placeholders are replaced, wherever they stand") {
  World world;
  world.make("echo", "a");
  world.make("echo", "b");
  const auto a = world.call("a", {.input = "1e400"});
  const std::string p = World::placeholder(*a);
  const auto whole = world.call("b", {.input = p});
  const auto join = world.call("b", {.input = "[" + p + ",2," + p + "]"});
  const auto inside = world.call("b", {.input = R"({"content":{"x":[)" + p + "]}}"});
  world.settle();
  CHECK(content_of(*whole) == "1e400");
  CHECK(content_of(*join) == "[1e400,2,1e400]");
  CHECK(content_of(*inside) == R"({"x":[1e400]})");
}

TEST_CASE("a placeholder of this node may name it by any of its addresses") {
  World world;
  world.make("echo", "a");
  const auto a = world.call("a", {.input = "1"});
  const auto b = world.call("a", {.input = World::placeholder(a->id.text(), "alias", 1), .caller = "you"});
  world.settle();
  CHECK(content_of(*b) == "1");
}

TEST_CASE("an input that settled long ago is used at once") {
  World world;
  world.make("echo", "a");
  const auto a = world.call("a", {.input = "1"});
  world.settle();
  const auto b = world.call("a", {.input = World::placeholder(*a)});
  CHECK(state_of(*b) == "waiting");
  world.settle();
  CHECK(content_of(*b) == "1");
}

TEST_CASE("a failed input fails the call without running it, with the cause") {
  World world;
  world.make("failer", "f");
  world.make("log", "a");
  world.make("log", "b");
  const auto f = world.call("f", {.input = "\"no luck\""});
  const auto a = world.call("a", {.input = World::placeholder(*f)});
  const auto b = world.call("b", {.input = "[1," + World::placeholder(*a) + "]"});
  const auto after = world.call("a", {.input = "3"});
  world.settle();
  CHECK(world.log == std::vector<std::string>{"3"});
  CHECK(state_of(*after) == "done");
  REQUIRE(b->error);
  const Error& error = *b->error;
  CHECK(error.kind() == ErrorKind::input_failed);
  CHECK(error.agent() == "b");
  CHECK(error.node() == "here:1");
  CHECK(error.call() == b->id.text());
  REQUIRE(error.cause() != nullptr);
  CHECK(error.cause()->kind() == ErrorKind::input_failed);
  CHECK(error.cause()->agent() == "a");
  CHECK(error.root().kind() == ErrorKind::agent_failed);
  CHECK(error.root().message() == "no luck");
  CHECK(error.root().agent() == "f");
}

TEST_CASE("a failed input fails the call as soon as it is known, and frees its lane") {
  World world;
  world.make("hold", "slow");
  world.make("failer", "f");
  world.make("log", "a");
  const auto slow = world.call("slow", {.input = "1"});
  const auto f = world.call("f", {.input = "1"});
  const auto join =
      world.call("a", {.input = "[" + World::placeholder(*slow) + "," + World::placeholder(*f) + "]"});
  const auto next = world.call("a", {.input = "2"});
  world.settle();
  CHECK(state_of(*join) == "failed");
  CHECK(state_of(*next) == "done");
  world.let_go();
  world.settle();
  CHECK(state_of(*join) == "failed");
}

TEST_CASE("a message's text does not grow with each failure that it passes through") {
  World world;
  world.make("failer", "f");
  world.make("echo", "e");
  auto call = world.call("f", {.input = "\"root\""});
  for (int i = 0; i < 200; ++i) call = world.call("e", {.input = World::placeholder(*call)});
  world.settle();
  REQUIRE(call->error);
  CHECK(call->error->message().size() < 200);
  CHECK(call->error->message().find("root") != std::string::npos);
}

TEST_CASE("a foreign placeholder is asked of its node, and may come or fail") {
  World world;
  world.make("echo", "a");
  const auto call = world.call("a", {.input = World::placeholder("0123456789abcdef", "there", 9)});
  world.settle();
  REQUIRE(world.foreign.watched.size() == 1);
  CHECK(world.foreign.watched[0].placeholder.node.text() == "there:9");
  CHECK(state_of(*call) == "waiting");
  SECTION("come") {
    world.foreign.watched[0].on_outcome(message_of("7"));
    world.settle();
    CHECK(content_of(*call) == "7");
  }
  SECTION("fail") {
    Error error(ErrorKind::peer_unreachable, "gone");
    world.foreign.watched[0].on_outcome(error.at_node("there:9"));
    world.settle();
    REQUIRE(call->error);
    CHECK(call->error->kind() == ErrorKind::input_failed);
    CHECK(call->error->root().kind() == ErrorKind::peer_unreachable);
    CHECK(call->error->root().node() == "there:9");
  }
}

TEST_CASE("a foreign outcome that comes when nobody waits any more is ignored") {
  World world;
  world.make("echo", "a");
  const auto call = world.call("a", {.input = World::placeholder("0123456789abcdef", "there", 9)});
  world.settle();
  world.runtime->cancel(*call);
  world.foreign.watched[0].on_outcome(message_of("7"));
  world.settle();
  CHECK(state_of(*call) == "cancelled");
}

TEST_CASE("a call that gave up wants no outcome of another node any more, and is not kept for it") {
  Limits limits;
  limits.tombstones = 0;
  World world(limits);
  world.make("log", "a");
  const std::string there = World::placeholder("elsewhere-01234567", "there", 9);
  const auto call = world.call("a", {.input = there, .id = "c"});
  CHECK_FALSE(world.foreign.watched[0].interest.expired());
  world.runtime->cancel(*call);
  CHECK(world.foreign.watched[0].interest.expired());
  world.runtime->release(call->id);
  world.settle();
  CHECK(call->use_count() == 1);
  SECTION("and what comes then is not taken for the input of another one under its id") {
    const auto another = world.call("a", {.input = there, .id = "c"});
    REQUIRE(world.foreign.watched.size() == 2);
    world.foreign.watched[0].on_outcome(message_of("1"));
    CHECK(state_of(*another) == "waiting");
    world.foreign.watched[1].on_outcome(message_of("2"));
    world.settle();
    CHECK(content_of(*another) == "2");
    CHECK(world.foreign.watched[1].interest.expired());
  }
}

TEST_CASE("a runtime without other nodes refuses foreign placeholders") {
  World world({}, 1, true);
  world.make("echo", "a");
  const auto call = world.call("a", {.input = World::placeholder("0123456789abcdef", "there", 9)});
  world.settle();
  REQUIRE(call->error);
  CHECK(call->error->root().kind() == ErrorKind::peer_refused);
}

TEST_CASE("an input may be named before its call has come") {
  World world;
  world.make("echo", "a");
  world.make("echo", "b");
  const CallId early = id_of("early");
  const auto b = world.call("b", {.input = World::placeholder(early.text())});
  const auto watcher = std::make_shared<Recorder>();
  world.runtime->watch_id(early, watcher, std::chrono::seconds(10));
  world.settle();
  CHECK(state_of(*b) == "waiting");
  world.call("a", {.input = "5", .id = "early"});
  world.settle();
  CHECK(content_of(*b) == "5");
  CHECK(watcher->states == std::vector<std::string>{"done"});
}

TEST_CASE("an input whose call does not come within its grace is not found") {
  Limits limits;
  limits.grace = std::chrono::milliseconds(20);
  World world(limits);
  world.make("echo", "a");
  const auto call = world.call("a", {.input = World::placeholder("0123456789abcdef")});
  CHECK(world.until_settled(call));
  REQUIRE(call->error);
  CHECK(call->error->kind() == ErrorKind::input_failed);
  CHECK(call->error->root().kind() == ErrorKind::call_not_found);
}

TEST_CASE("each who waits for an unknown id is told when its own grace is over") {
  World world;
  const auto patient = std::make_shared<Recorder>();
  const auto hasty = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("x"), patient, std::chrono::hours(1));
  world.runtime->watch_id(id_of("x"), hasty, std::chrono::milliseconds(5));
  CHECK(world.until([&] { return !hasty->states.empty(); }));
  CHECK(hasty->error.kind() == ErrorKind::call_not_found);
  CHECK(patient->states.empty());
  world.make("echo", "a");
  world.call("a", {.input = "1", .id = "x"});
  world.settle();
  CHECK(patient->states == std::vector<std::string>{"done"});
  CHECK(hasty->states == std::vector<std::string>{"unknown"});
}

TEST_CASE("without grace an unknown id is unknown at once, though not inside the question") {
  World world;
  const auto watcher = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("x"), watcher, std::chrono::milliseconds(0));
  CHECK(watcher->states.empty());
  world.settle();
  CHECK(watcher->states == std::vector<std::string>{"unknown"});
  CHECK(watcher->error.kind() == ErrorKind::call_not_found);
}

TEST_CASE("a chain of 100,000 dependent calls settles, without the stack growing with it") {
  World world;
  world.make("hold", "first");
  world.make("echo", "a", "{}", [] {
    protocol::AgentOptions options;
    options.mailbox = 200'000;
    return options;
  }());
  const auto first = world.call("first", {.input = "\"end\""});
  auto last = first;
  for (int i = 0; i < 100'000; ++i)
    last = world.call("a", {.input = World::placeholder(*last), .caller = ""});
  SECTION("when it succeeds") {
    world.settle();
    world.let_go();
    REQUIRE(world.until_settled(last));
    CHECK(content_of(*last) == "\"end\"");
  }
  SECTION("and when it was settled before it is asked for") {
    world.settle();
    world.let_go();
    REQUIRE(world.until_settled(last));
    const auto again = world.call("a", {.input = World::placeholder(*last)});
    world.settle();
    CHECK(state_of(*again) == "done");
  }
}

TEST_CASE("what a settled call was given is let go of") {
  World world;
  world.make("hold", "slow");
  world.make("echo", "a");
  const auto input = world.call("slow", {.input = "1"});
  const auto call = world.call("a", {.input = World::placeholder(*input)});
  world.settle();
  world.let_go();
  world.settle();
  CHECK(state_of(*call) == "done");
  // One text: what the first call was sent, by which it is known again, its outcome, and the echo's outcome.
  CHECK(input->content.use_count() == 3);
}

TEST_CASE("a long chain of dependent calls fails from its first to its last") {
  World world;
  world.make("hold", "first");
  world.make("echo", "a");
  const auto first = world.call("first", {.input = "\"end\""});
  auto last = first;
  for (int i = 0; i < 2'000; ++i) last = world.call("a", {.input = World::placeholder(*last), .caller = ""});
  world.runtime->cancel(*first);
  REQUIRE(world.until_settled(last));
  REQUIRE(last->error);
  CHECK(last->error->root().kind() == ErrorKind::cancelled);
  CHECK(last->error->root().call() == first->id.text());
}

}  // namespace agentd::runtime
