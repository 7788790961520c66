#include "common/protocol/done_frame.hpp"
#include "tests/unit/daemon/rpc/world.hpp"

namespace agentd::rpc {

namespace {

const std::string call_id = "call-0123456789abcdef";

Json call_of(const std::string& agent, const Json& input) {
  return {{"agent", agent}, {"input", input}, {"call", call_id}};
}

/// A world with a call that has settled, and was told to the connection it came over.
struct Settled : World {
  Settled() {
    rpc(first, "agent.create", {{"type", "echo"}, {"agent", "a"}});
    notify(first, "agent.call", call);
    settle();
    REQUIRE(first->settled(call_id).size() == 1);
  }
  std::shared_ptr<FakeChannel> first = connect();
  Json call = call_of("a", 1);
};

}  // namespace

TEST_CASE("call.settled of a call that is done stands in the form that is read quickest") {
  Settled world;
  protocol::DoneFrame frame;
  REQUIRE(frame.read(world.first->frames.back()));
  REQUIRE(frame.notices().size() == 1);
  CHECK(frame.notices()[0].call.text() == call_id);
  CHECK(frame.notices()[0].value.content == "1");
}

TEST_CASE("call.settled comes once for a call that is sent again over the same connection") {
  Settled world;
  world.notify(world.first, "agent.call", world.call);
  const Json answer = world.rpc(world.first, "agent.call", world.call);
  CHECK(answer["result"]["state"] == "done");
  world.settle();
  CHECK(world.first->settled(call_id).size() == 1);
}

TEST_CASE("call.settled comes once for a call that is sent twice before it settles") {
  World world;
  const auto channel = world.connect();
  world.rpc(channel, "agent.create", {{"type", "block"}, {"agent", "b"}});
  world.notify(channel, "agent.call", call_of("b", 1));
  world.notify(channel, "agent.call", call_of("b", 1));
  world.open();
  REQUIRE(world.until([&] { return !channel->settled(call_id).empty(); }));
  world.settle();
  CHECK(channel->settled(call_id).size() == 1);
}

TEST_CASE("a call that is sent again over a new connection brings its outcome there, once") {
  Settled world;
  const auto second = world.connect();
  for (int i = 0; i < 3; ++i) {
    world.notify(second, "agent.call", world.call);
    world.settle();
  }
  REQUIRE(second->settled(call_id).size() == 1);
  CHECK(second->settled(call_id)[0]["value"]["content"] == 1);
  CHECK(world.first->settled(call_id).size() == 1);
}

TEST_CASE("a conflict does not settle a call that its connection has joined") {
  World world;
  const auto first = world.connect();
  const auto second = world.connect();
  world.rpc(first, "agent.create", {{"type", "block"}, {"agent", "b"}});
  world.notify(first, "agent.call", call_of("b", 1));
  world.notify(second, "agent.call", call_of("b", 1));
  for (const auto& channel : {first, second}) world.notify(channel, "agent.call", call_of("b", 2));
  world.settle();
  CHECK(second->settled(call_id).empty());
  CHECK(world.dropped_calls == std::vector<std::string>(2, call_id + " conflict"));
  CHECK(world.runtime->tally().dropped == 2);
  world.open();
  REQUIRE(world.until([&] { return !second->settled(call_id).empty(); }));
  for (const auto& channel : {first, second}) {
    REQUIRE(channel->settled(call_id).size() == 1);
    CHECK(channel->settled(call_id)[0]["state"] == "done");
  }
}

TEST_CASE("subscribing to a settled call brings its outcome, though it came before") {
  Settled world;
  world.rpc(world.first, "call.subscribe", {{"calls", {call_id}}});
  world.settle();
  CHECK(world.first->settled(call_id).size() == 2);
}

TEST_CASE("an id that is asked for many times before it comes is told of once") {
  World world;
  const auto channel = world.connect();
  const auto other = world.connect("you");
  world.rpc(channel, "agent.create", {{"type", "echo"}, {"agent", "a"}});
  for (const auto& asking : {channel, channel, other}) {
    world.rpc(asking, "call.subscribe", {{"calls", {call_id, call_id}}, {"grace_ms", 60'000}});
  }
  SECTION("and it comes") { world.notify(channel, "agent.call", call_of("a", 1)); }
  SECTION("and it is refused") { world.notify(channel, "agent.call", call_of("nobody", 1)); }
  world.settle();
  CHECK(other->settled(call_id).size() == 1);
  CHECK(channel->settled(call_id).size() == 1);
}

TEST_CASE("an id that is unknown is told of once, however often one request names it") {
  World world;
  const auto channel = world.connect();
  world.rpc(channel, "call.subscribe", {{"calls", {call_id, call_id}}});
  world.settle();
  CHECK(channel->settled(call_id).size() == 1);
}

TEST_CASE("a call that closes a circle settles while it is accepted, and is told like any other") {
  World world;
  const auto channel = world.connect();
  world.rpc(channel, "agent.create", {{"type", "echo"}, {"agent", "a"}});
  const Json waits = {{"$placeholder", {{"host", "here"}, {"port", 1}, {"call", call_id}}}};
  const Json other = {{"$placeholder", {{"host", "here"}, {"port", 1}, {"call", "other-0123456789abcdef"}}}};
  world.notify(channel, "agent.call", {{"agent", "a"}, {"input", waits}, {"call", "other-0123456789abcdef"}});
  world.notify(channel, "agent.call", call_of("a", other));
  world.settle();
  REQUIRE(channel->settled(call_id).size() == 1);
  CHECK(channel->settled(call_id)[0]["error"]["data"]["kind"] == "cycle");
}

}  // namespace agentd::rpc
