#include "daemon/rpc/siblings.hpp"

#include <algorithm>
#include <set>

#include "daemon/agents/builtin.hpp"
#include "tests/unit/daemon/rpc/world.hpp"

namespace agentd::rpc {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t shard_count = 3;
/// Where the connections of these tests are.
constexpr std::size_t home = 0;

/// A node of three dispatchers, whose loops the test turns by hand.
struct Several : NodeControl {
  explicit Several(const runtime::Limits& limits = {}) {
    for (AgentType& type : agents::builtin_types()) REQUIRE(types.add(std::move(type)).has_value());
    runtime::RuntimeSettings settings;
    settings.self = {"here", 1};
    settings.limits = limits;
    settings.shards = &shards;
    NodeFacts facts;
    facts.address = settings.self;
    facts.boot = "boot";
    for (std::size_t i = 0; i < shard_count; ++i) {
      settings.shard = i;
      runtimes.push_back(std::make_unique<runtime::Runtime>(loops[i], types, nullptr, settings));
      runtimes.back()->gate()->bind_to_this_thread();
      dispatchers.push_back(std::make_unique<JsonRpcDispatcher>(*runtimes.back(), *this, facts, &siblings));
    }
  }
  ~Several() override {
    for (const auto& runtime : runtimes) runtime->close(runtime::Runtime::Clock::now() + 20s);
    loops.discard();
  }

  void drain() override { runtimes[home]->drain(); }
  void stop(std::optional<std::chrono::milliseconds>) override {}
  void dropped(const CallId& call, const Error&) override { dropped_calls.emplace_back(call.text()); }
  void append_metrics(std::string&) const override {}

  std::string name_at(std::size_t shard) const {
    for (int i = 0;; ++i) {
      std::string name = "a" + std::to_string(i);
      if (shards.of_agent(name) == shard) return name;
    }
  }
  std::string id_at(std::size_t shard) const {
    for (;;) {
      const CallId id = CallId::mint();
      if (shards.of(id.home()) == shard) return std::string(id.text());
    }
  }

  void notify(const std::string& method, const Json& params) {
    dispatchers[home]->handle_frame(channel,
                                    Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump());
  }
  int request(const std::string& method, const Json& params) {
    const Json request{{"jsonrpc", "2.0"}, {"id", ++last_id}, {"method", method}, {"params", params}};
    dispatchers[home]->handle_frame(channel, request.dump());
    return last_id;
  }
  Json rpc(const std::string& method, const Json& params) {
    const int id = request(method, params);
    REQUIRE(until([&] { return !channel->answer(id).is_null(); }));
    return channel->answer(id);
  }
  /// What the body's answer is; empty for 204.
  std::string body(const Json& body) {
    std::optional<std::string> answer;
    const auto interest =
        dispatchers[home]->handle_body(body.dump(), [&](std::string text) { answer = std::move(text); });
    REQUIRE(until([&] { return answer.has_value(); }));
    return *answer;
  }

  void turn(std::size_t shard) {
    for (int i = 0; i < 20; ++i) loops[shard].run_once(0ms);
  }
  void settle() {
    for (int i = 0; i < 30; ++i) {
      for (std::size_t shard = 0; shard < shard_count; ++shard) loops[shard].run_once(0ms);
    }
  }
  bool until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      for (std::size_t shard = 0; shard < shard_count; ++shard) loops[shard].run_once(1ms);
    }
    return true;
  }

  async::Loops loops{shard_count};
  runtime::Shards shards{loops};
  Siblings siblings{shards};
  runtime::TypeTable types;
  std::vector<std::unique_ptr<runtime::Runtime>> runtimes;
  std::vector<std::unique_ptr<JsonRpcDispatcher>> dispatchers;
  std::shared_ptr<FakeChannel> channel = std::make_shared<FakeChannel>("me");
  std::vector<std::string> dropped_calls;
  int last_id = 0;
};

}  // namespace

TEST_CASE("a call to an agent of another loop is answered, and told of once it has settled") {
  Several node;
  const std::string agent = node.name_at(1);
  node.rpc("agent.create", {{"type", "echo"}, {"agent", agent}});
  const std::string call = node.id_at(GENERATE(0, 1, 2));
  const Json answer = node.rpc("agent.call", {{"agent", agent}, {"call", call}, {"input", 7}});
  CHECK(answer["result"]["state"] == "queued");
  REQUIRE(node.until([&] { return !node.channel->settled(call).empty(); }));
  CHECK(node.channel->settled(call)[0]["value"]["content"] == 7);
  CHECK(node.rpc("call.get", {{"call", call}})["result"]["state"] == "done");
  CHECK(node.rpc("call.release", {{"calls", {call}}})["result"]["released"] == 1);
  CHECK(node.rpc("call.get", {{"call", call}})["error"]["data"]["kind"] == "call_not_found");
  node.settle();
  CHECK(node.channel->settled(call).size() == 1);
  CHECK(node.channel->requests_elsewhere == 0);
}

TEST_CASE("calls in the form that a program writes go to the loops of their agents, and keep their order") {
  Several node;
  std::vector<std::string> agents;
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    agents.push_back(node.name_at(shard));
    node.rpc("agent.create", {{"type", "counter"}, {"agent", agents.back()}});
  }
  std::vector<std::string> calls;
  std::string frame = "[";
  for (int i = 0; i < 30; ++i) {
    calls.push_back(node.id_at(i % shard_count));
    if (i > 0) frame += ',';
    frame += R"({"jsonrpc":"2.0","method":"agent.call","params":{"agent":")" + agents[i % shard_count] +
             R"(","call":")" + calls.back() + R"(","input":1,"settled":"auto"}})";
  }
  node.dispatchers[home]->handle_frame(node.channel, frame + "]");
  CHECK(node.channel->requests_elsewhere > 0);
  REQUIRE(node.until([&] { return !node.channel->settled(calls[29]).empty(); }));
  node.settle();
  for (int i = 0; i < 30; ++i) {
    const auto settled = node.channel->settled(calls[i]);
    REQUIRE(settled.size() == 1);
    CHECK(settled[0]["value"]["content"] == 1 + i / static_cast<int>(shard_count));
  }
  CHECK(node.channel->requests_elsewhere == 0);
}

TEST_CASE("who subscribes to an id before the call comes to another loop is told once") {
  Several node;
  const std::string agent = node.name_at(1);
  node.rpc("agent.create", {{"type", "echo"}, {"agent", agent}});
  const std::string call = node.id_at(2);
  node.rpc("call.subscribe", {{"calls", {call}}, {"grace_ms", 10'000}});
  node.notify("agent.call", {{"agent", agent}, {"call", call}, {"input", 7}});
  REQUIRE(node.until([&] { return !node.channel->settled(call).empty(); }));
  node.settle();
  CHECK(node.channel->settled(call).size() == 1);
}

TEST_CASE("who subscribes to an id that is being forgotten is told that it is not known") {
  Several node;
  const std::string agent = node.name_at(1);
  node.rpc("agent.create", {{"type", "echo"}, {"agent", agent}});
  // At the home of the connection, and elsewhere.
  const std::string call = node.id_at(GENERATE(0, 2));
  node.rpc("agent.call", {{"agent", agent}, {"call", call}, {"wait_ms", 10'000}});
  node.settle();
  node.notify("call.release", {{"calls", {call}}});
  node.turn(0);
  node.turn(1);
  // Its home has not heard of that yet.
  node.request("call.subscribe", {{"calls", {call}}, {"grace_ms", 10}});
  REQUIRE(node.until([&] { return node.channel->settled(call).size() == 2; }));
  CHECK(node.channel->settled(call)[1]["error"]["data"]["kind"] == "call_not_found");
}

TEST_CASE("a used id is a conflict whatever loop the other call is at") {
  Several node;
  const std::string first = node.name_at(1);
  const std::string second = node.name_at(2);
  node.rpc("agent.create", {{"type", "echo"}, {"agent", first}});
  node.rpc("agent.create", {{"type", "echo"}, {"agent", second}});
  const std::string call = node.id_at(1);
  node.rpc("agent.call", {{"agent", first}, {"call", call}, {"input", 7}});
  REQUIRE(node.until([&] { return !node.channel->settled(call).empty(); }));

  SECTION("of a request") {
    CHECK(node.rpc("agent.call", {{"agent", second}, {"call", call}})["error"]["data"]["kind"] == "conflict");
  }
  SECTION("of a request that waits") {
    const Json answer = node.rpc("agent.call", {{"agent", second}, {"call", call}, {"wait_ms", 10'000}});
    CHECK(answer["error"]["data"]["kind"] == "conflict");
  }
  SECTION("of a notification over the same connection, which is told of the first call only") {
    node.notify("agent.call", {{"agent", second}, {"call", call}});
    REQUIRE(node.until([&] { return !node.dropped_calls.empty(); }));
    CHECK(node.dropped_calls == std::vector<std::string>{call});
  }
  SECTION("over HTTP") {
    const std::string answer = node.body({{"jsonrpc", "2.0"},
                                          {"id", 1},
                                          {"method", "agent.call"},
                                          {"params", {{"agent", second}, {"call", call}}}});
    CHECK(Json::parse(answer)["error"]["data"]["kind"] == "conflict");
  }
  node.settle();
  CHECK(node.channel->settled(call).size() == 1);
  CHECK(node.rpc("call.get", {{"call", call}})["result"]["value"]["content"] == 7);
}

TEST_CASE("the answers to one body come together, whatever loops they are from") {
  Several node;
  Json batch = Json::array();
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    const std::string agent = node.name_at(shard);
    node.rpc("agent.create", {{"type", "echo"}, {"agent", agent}});
    batch.push_back({{"jsonrpc", "2.0"},
                     {"id", shard},
                     {"method", "agent.call"},
                     {"params", {{"agent", agent}, {"input", shard}, {"wait_ms", 10'000}}}});
    batch.push_back({{"jsonrpc", "2.0"}, {"method", "agent.call"}, {"params", {{"agent", agent}}}});
  }
  const Json answers = Json::parse(node.body(batch));
  REQUIRE(answers.size() == shard_count);
  for (const Json& answer : answers) CHECK(answer["result"]["value"]["content"] == answer["id"]);
  CHECK(node.body({{"jsonrpc", "2.0"}, {"method", "agent.call"}, {"params", {{"agent", node.name_at(1)}}}})
            .empty());
}

TEST_CASE("a body whose client has gone waits at no loop any more") {
  Several node;
  const std::string agent = node.name_at(1);
  node.rpc("agent.create", {{"type", "sleeper"}, {"agent", agent}, {"args", {{"seconds", 60}}}});
  auto interest =
      node.dispatchers[home]->handle_body(Json{{"jsonrpc", "2.0"},
                                               {"id", 1},
                                               {"method", "agent.call"},
                                               {"params", {{"agent", agent}, {"wait_ms", 60'000}}}}
                                              .dump(),
                                          [](const std::string&) {});
  REQUIRE(node.until([&] { return node.runtimes[1]->tally().waits == 1; }));
  interest.reset();
  REQUIRE(node.until([&] { return node.runtimes[1]->tally().waits == 0; }));
}

TEST_CASE("a call that is cancelled and released before its home knows it is answered, and told of once") {
  Several node;
  const std::string agent = node.name_at(1);
  node.rpc("agent.create", {{"type", "sleeper"}, {"agent", agent}});
  const std::string call = node.id_at(2);
  const Json params{{"agent", agent}, {"call", call}, {"input", 1000}, {"release", true}};
  SECTION("over HTTP") {
    const Json answers = Json::parse(node.body(
        {{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "agent.call"}, {"params", params}},
         {{"jsonrpc", "2.0"}, {"id", 2}, {"method", "call.cancel"}, {"params", {{"call", call}}}}}));
    CHECK(answers.size() == 2);
  }
  SECTION("over a WebSocket") {
    const int asked = node.request("agent.call", params);
    node.request("call.subscribe", {{"calls", {call}}});
    node.request("call.cancel", {{"call", call}});
    REQUIRE(node.until([&] { return !node.channel->answer(asked).is_null(); }));
    node.settle();
    CHECK(node.channel->settled(call).size() == 1);
  }
}

TEST_CASE("while other loops are at work for a connection it counts what it has asked of them") {
  Several node;
  SECTION("lists") { node.request("agent.list", Json::object()); }
  SECTION("subscriptions") {
    node.request("call.subscribe", {{"calls", {node.id_at(1), node.id_at(2)}}, {"grace_ms", 0}});
  }
  SECTION("releases") { node.request("call.release", {{"calls", {node.id_at(1), node.id_at(2)}}}); }
  SECTION("many agents") {
    node.request("agent.create_many", {{"type", "echo"}, {"count", 10}, {"prefix", "many"}});
  }
  CHECK(node.channel->requests_elsewhere > 0);
  CHECK(node.until([&] { return node.channel->requests_elsewhere == 0; }));
}

TEST_CASE("what other loops have for a connection is counted together") {
  Several node;
  std::vector<std::string> calls;
  for (const std::size_t shard : {1, 2}) {
    const std::string agent = node.name_at(shard);
    node.rpc("agent.create", {{"type", "echo"}, {"agent", agent}});
    for (int i = 0; i < 3; ++i) {
      calls.push_back(node.id_at(shard));
      node.rpc("agent.call", {{"agent", agent},
                              {"call", calls.back()},
                              {"input", std::string(600'000, 'x')},
                              {"settled", "state"},
                              {"wait_ms", 10'000}});
    }
  }
  node.settle();
  // There is room for 1 MiB there; the loops tell of theirs before any of it has come.
  node.request("call.subscribe", {{"calls", calls}});
  REQUIRE(node.until([&] {
    return std::ranges::all_of(calls,
                               [&](const auto& call) { return node.channel->settled(call).size() == 2; });
  }));
  const auto values = std::ranges::count_if(
      calls, [&](const auto& call) { return node.channel->settled(call)[1].contains("value"); });
  CHECK(values == 2);
}

TEST_CASE("a list goes through the loops, page by page") {
  Several node;
  node.rpc("agent.create_many", {{"type", "echo"}, {"count", 50}, {"prefix", "m"}});
  CHECK(node.rpc("node.info", Json::object())["result"]["agents"] == 50);
  std::set<std::string> seen;
  Json params = {{"limit", 7}};
  for (;;) {
    const Json page = node.rpc("agent.list", params)["result"];
    CHECK((page["agents"].size() == 7 || !page.contains("next_cursor")));
    for (const Json& agent : page["agents"]) seen.insert(agent["agent"].get<std::string>());
    if (!page.contains("next_cursor")) break;
    params["cursor"] = page["next_cursor"];
  }
  CHECK(seen.size() == 50);
}

TEST_CASE("a copy may be at another loop than its original") {
  Several node;
  const std::string agent = node.name_at(1);
  const std::string copy = node.name_at(2);
  node.rpc("agent.create", {{"type", "counter"}, {"agent", agent}});
  node.rpc("agent.call", {{"agent", agent}, {"input", 5}, {"wait_ms", 10'000}});
  CHECK(node.rpc("agent.clone", {{"agent", agent}, {"as", copy}})["result"]["agent"] == copy);
  const Json answer = node.rpc("agent.call", {{"agent", copy}, {"input", 1}, {"wait_ms", 10'000}});
  CHECK(answer["result"]["value"]["content"] == 6);
  CHECK(node.rpc("agent.clone", {{"agent", agent}, {"as", copy}})["error"]["data"]["kind"] == "conflict");
}

TEST_CASE("with a connection its waits at other loops end, and its calls go on") {
  Several node;
  const std::string agent = node.name_at(1);
  node.rpc("agent.create", {{"type", "sleeper"}, {"agent", agent}, {"args", {{"seconds", 0.05}}}});
  const std::string call = node.id_at(1);
  node.request("agent.call", {{"agent", agent}, {"call", call}, {"wait_ms", 60'000}});
  REQUIRE(node.until([&] { return node.runtimes[1]->tally().waits == 1; }));
  node.channel->is_closed = true;
  node.dispatchers[home]->channel_closed(*node.channel);
  REQUIRE(node.until([&] { return node.runtimes[1]->tally().waits == 0; }));
  REQUIRE(node.until([&] { return node.runtimes[1]->tally().done == 1; }));
  CHECK(node.channel->settled(call).empty());
}

}  // namespace agentd::rpc
