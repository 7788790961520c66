#include "tests/unit/daemon/rpc/world.hpp"

namespace agentd::rpc {

namespace {

std::string batch_of(std::size_t count, const std::string& element) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? "," : "") + element;
  return text + "]";
}

runtime::Limits batches_of_three() {
  runtime::Limits limits;
  limits.batch = 3;
  return limits;
}

Json answer_of(World& world, const std::string& body) {
  std::string text;
  (void)world.dispatcher->handle_body(body, [&](std::string came) { text = std::move(came); });
  return Json::parse(text);
}

}  // namespace

TEST_CASE("a batch of too many elements is one invalid request, and none of them is looked at") {
  World world(batches_of_three());
  const std::string create = R"({"jsonrpc":"2.0","method":"agent.create","params":{"type":"echo"}})";
  SECTION("over HTTP") {
    CHECK(answer_of(world, batch_of(3, "1")).size() == 3);
    const Json refused = answer_of(world, batch_of(4, create));
    REQUIRE(refused.is_object());
    CHECK(refused["id"].is_null());
    CHECK(refused["error"]["code"] == -32600);
    CHECK(refused["error"]["data"]["limit"] == "batch");
  }
  SECTION("over WebSocket") {
    const auto channel = world.connect();
    world.dispatcher->handle_frame(channel, batch_of(4, create));
    REQUIRE(channel->inbox.size() == 1);
    CHECK(channel->inbox[0]["error"]["data"]["limit"] == "batch");
  }
  CHECK(world.runtime->agents() == 0);
}

TEST_CASE("a long object that is no batch has no elements to count") {
  World world(batches_of_three());
  CHECK(answer_of(world, R"({"jsonrpc":"2.0","id":1,"method":"type.list","params":{}})").contains("result"));
}

TEST_CASE("where too much waits for a connection, it gets no large value, and small ones all the same") {
  World world;
  const auto channel = world.connect();
  world.rpc(channel, "agent.create", {{"type", "echo"}, {"agent", "e"}});
  const auto call_of = [&](std::size_t size) {
    const Json params{{"agent", "e"}, {"input", std::string(size, 'x')}, {"wait_ms", 9}};
    return world.rpc(channel, "agent.call", params)["result"]["call"].get<std::string>();
  };
  const std::string large = call_of(100'000);
  const std::string small = call_of(1);
  channel->is_full = true;
  const Json refused = world.rpc(channel, "call.get", {{"call", large}});
  CHECK(refused["error"]["data"]["kind"] == "overloaded");
  CHECK(refused["error"]["data"]["limit"] == "write_queue");
  CHECK(world.rpc(channel, "call.get", {{"call", small}})["result"]["value"]["content"] == "x");
  const Json again{{"agent", "e"}, {"call", large}, {"input", std::string(100'000, 'x')}};
  CHECK(world.rpc(channel, "agent.call", again)["result"]["state"] == "done");
  channel->is_full = false;
  CHECK(world.rpc(channel, "call.get", {{"call", large}})["result"]["value"]["content"].size() > 0);
}

TEST_CASE("long errors of one batch are left out when the answers are too large together") {
  World world;
  const auto channel = world.connect();
  world.rpc(channel, "agent.create", {{"type", "failer"}, {"agent", "f"}});
  const Json call{
      {"agent", "f"}, {"call", "0123456789abcdef"}, {"input", std::string(16'000, 'x')}, {"wait_ms", 9}};
  world.rpc(channel, "agent.call", call);
  const Json again{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "agent.call"}, {"params", call}};
  const Json answers = answer_of(world, batch_of(2000, again.dump()));
  CHECK(answers.dump().size() < 12'000'000);
  REQUIRE(answers.size() == 2000);
  CHECK(answers.front()["error"]["data"]["kind"] == "agent_failed");
  CHECK(answers.back()["error"]["data"]["kind"] == "overloaded");
  CHECK(answers.back()["error"]["data"]["limit"] == "write_queue");
}

}  // namespace agentd::rpc
