#include "tests/unit/daemon/rpc/world.hpp"

namespace agentd::rpc {

namespace {

/// An agent whose worker is busy, and whose mailbox holds three.
struct Busy : World {
  Busy() {
    rpc(channel, "agent.create", {{"type", "block"}, {"agent", "b"}, {"options", {{"mailbox", 3}}}});
    notify(channel, "agent.call", {{"agent", "b"}, {"input", 1}});
    settle();
    REQUIRE(begun());
  }
  std::shared_ptr<FakeChannel> channel = connect();
};

}  // namespace

TEST_CASE("who asks for a busy agent's state takes room in its mailbox, and is refused where there is none") {
  Busy world;
  std::vector<int> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(world.request(world.channel, "agent.get", {{"agent", "b"}}));
  const Json refused = world.channel->answer(ids[3]);
  REQUIRE(refused.contains("error"));
  CHECK(refused["error"]["data"]["kind"] == "overloaded");
  CHECK(refused["error"]["data"]["limit"] == "mailbox");
  SECTION("each gets it once the agent is idle") {
    world.open();
    REQUIRE(world.until([&] { return !world.channel->answer(ids[2]).is_null(); }));
    for (int i = 0; i < 3; ++i) CHECK_FALSE(world.channel->answer(ids[i])["result"].contains("busy"));
  }
  SECTION("those who waited too long leave the room to others") {
    REQUIRE(world.until([&] { return !world.channel->answer(ids[2]).is_null(); }));
    const Json busy = world.channel->answer(ids[2]);
    CHECK(busy["result"]["busy"] == true);
    CHECK(busy["result"]["state"].is_null());
    CHECK(busy["result"]["mailbox"] == 0);
    const Json call = world.rpc(world.channel, "agent.call", {{"agent", "b"}, {"input", 2}});
    CHECK(call["result"]["state"] == "queued");
  }
}

TEST_CASE("clones of a busy agent take room in its mailbox") {
  Busy world;
  std::vector<int> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(world.request(world.channel, "agent.clone", {{"agent", "b"}}));
  const Json refused = world.channel->answer(ids[3]);
  REQUIRE(refused.contains("error"));
  CHECK(refused["error"]["data"]["limit"] == "mailbox");
  world.open();
  REQUIRE(world.until([&] { return !world.channel->answer(ids[2]).is_null(); }));
  CHECK(world.channel->answer(ids[2]).contains("result"));
}

TEST_CASE("a clone is refused where a call at its place would be") {
  Busy world;
  for (int i = 0; i < 3; ++i) {
    const std::string id = "call-0123456789abcde" + std::to_string(i);
    world.notify(world.channel, "agent.call", {{"agent", "b"}, {"input", 2}, {"call", id}});
  }
  const Json last = {{"agent", "b"}, {"input", 2}, {"call", "call-0123456789abcdef"}};
  world.notify(world.channel, "agent.call", last);
  world.settle();
  REQUIRE(world.channel->settled("call-0123456789abcdef").size() == 1);
  world.open();
  REQUIRE(world.until([&] { return world.runtime->unsettled() == 0; }));
  const Json refused = world.rpc(world.channel, "agent.clone", {{"agent", "b"}});
  REQUIRE(refused.contains("error"));
  CHECK(refused["error"]["data"]["limit"] == "order");
  world.notify(world.channel, "agent.call", last);
  CHECK(world.rpc(world.channel, "agent.clone", {{"agent", "b"}}).contains("result"));
}

}  // namespace agentd::rpc
