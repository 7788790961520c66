#include "tests/unit/daemon/rpc/world.hpp"

namespace agentd::rpc {

namespace {

/// A call that runs until `open`, and so many requests that may wait.
struct Busy : World {
  explicit Busy(std::uint32_t waits)
      : World([waits] {
          runtime::Limits limits;
          limits.waits = waits;
          return limits;
        }()) {
    const auto channel = connect();
    rpc(channel, "agent.create", {{"type", "block"}, {"agent", "b"}});
    call = rpc(channel, "agent.call", {{"agent", "b"}, {"input", 1}})["result"]["call"];
    settle();
    REQUIRE(begun());
  }

  int wait(const std::shared_ptr<FakeChannel>& channel) {
    return request(channel, "call.get", {{"call", call}, {"wait_ms", 9'999'999}});
  }
  void close(const std::shared_ptr<FakeChannel>& channel) {
    channel->is_closed = true;
    dispatcher->channel_closed(*channel);
  }
  [[nodiscard]] static std::string limit_of(const Json& answer) {
    return answer.is_null() ? "" : answer["error"]["data"]["limit"].get<std::string>();
  }

  std::string call;
};

}  // namespace

TEST_CASE("requests that wait are bounded for a connection, which has a quarter, and for the node") {
  Busy world(8);
  std::vector<std::shared_ptr<FakeChannel>> channels;
  std::vector<int> ids;
  for (int i = 0; i < 4; ++i) {
    channels.push_back(world.connect());
    for (int n = 0; n < 2; ++n) CHECK(channels.back()->answer(world.wait(channels.back())).is_null());
    const Json refused = channels.back()->answer(world.wait(channels.back()));
    CHECK(Busy::limit_of(refused) == (i < 3 ? "connection_waits" : "waits"));
    CHECK(refused["error"]["data"]["kind"] == "overloaded");
  }
  SECTION("a call that could not be waited for was not queued") {
    const int id = world.request(world.connect(), "agent.call",
                                 {{"agent", "b"}, {"call", "never-made-0123456"}, {"wait_ms", 9}});
    const auto asking = world.connect();
    const Json got = world.rpc(asking, "call.get", {{"call", "never-made-0123456"}});
    CHECK(got["error"]["data"]["kind"] == "call_not_found");
    CHECK(id > 0);
  }
  SECTION("with a connection its waits end, and leave room") {
    world.close(channels[1]);
    const auto other = world.connect();
    const int id = world.wait(other);
    CHECK(other->answer(id).is_null());
    world.open();
    REQUIRE(world.until([&] { return !other->answer(id).is_null(); }));
    CHECK(other->answer(id)["result"]["state"] == "done");
  }
  SECTION("when the call settles all are answered, and leave room") {
    world.open();
    REQUIRE(world.until([&] { return channels[0]->inbox.size() == 3; }));
    for (const auto& channel : channels) CHECK(channel->inbox.size() == 3);
  }
}

TEST_CASE("a wait whose time is over leaves room") {
  Busy world(1);
  const auto channel = world.connect();
  const Json over = world.rpc(channel, "call.get", {{"call", world.call}, {"wait_ms", 1}});
  CHECK(over["result"]["state"] == "running");
  CHECK(channel->answer(world.wait(channel)).is_null());
}

TEST_CASE("a notification does not wait") {
  Busy world(1);
  const auto channel = world.connect();
  world.notify(channel, "call.get", {{"call", world.call}, {"wait_ms", 9'999'999}});
  world.notify(channel, "agent.call", {{"agent", "b"}, {"input", 2}, {"wait_ms", 9'999'999}});
  CHECK(channel->answer(world.wait(channel)).is_null());
}

TEST_CASE("what a connection waits for without knowing it leaves room when the connection ends") {
  runtime::Limits limits;
  limits.expected = 1;
  World world(limits);
  const auto subscribe = [&](const std::shared_ptr<FakeChannel>& channel, const std::string& call) {
    world.rpc(channel, "call.subscribe", {{"calls", {call}}, {"grace_ms", 50'000}});
    world.settle();
    return channel->settled(call);
  };
  const auto first = world.connect();
  CHECK(subscribe(first, "0123456789abcdef").empty());
  const auto second = world.connect();
  CHECK(subscribe(second, "second-3456789abcdef").at(0)["error"]["data"]["limit"] == "expected");
  world.dispatcher->channel_closed(*first);
  CHECK(subscribe(second, "third-23456789abcdef").empty());
}

TEST_CASE("a wait over HTTP ends when nobody is interested in the answer any more") {
  Busy world(1);
  const Json request{{"jsonrpc", "2.0"},
                     {"id", 1},
                     {"method", "call.get"},
                     {"params", {{"call", world.call}, {"wait_ms", 9'999'999}}}};
  std::vector<std::string> answers;
  const auto answered = [&](const std::string& body) { answers.push_back(body); };
  Dispatcher::Interest gone = world.dispatcher->handle_body(request.dump(), answered);
  gone.reset();
  const Dispatcher::Interest stays = world.dispatcher->handle_body(request.dump(), answered);
  CHECK(answers.empty());
  world.open();
  REQUIRE(world.until([&] { return !answers.empty(); }));
  world.settle();
  CHECK(answers.size() == 1);
}

TEST_CASE("who waits for a call that has settled is answered at once") {
  World world;
  const auto channel = world.connect();
  world.rpc(channel, "agent.create", {{"type", "echo"}, {"agent", "e"}});
  const Json params{{"agent", "e"}, {"input", 7}, {"call", "0123456789abcdef"}, {"wait_ms", 9'999'999}};
  CHECK(world.rpc(channel, "agent.call", params)["result"]["value"]["content"] == 7);
  CHECK(channel->answer(world.request(channel, "agent.call", params))["result"]["value"]["content"] == 7);
}

}  // namespace agentd::rpc
