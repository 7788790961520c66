#include "daemon/runtime/shards.hpp"

#include <catch2/catch.hpp>

#include "daemon/agents/builtin.hpp"
#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t shard_count = 4;

/// What a watcher at one shard was told, and where it was sent.
struct Followed : Recorder {
  void moved(const CallId& call, std::size_t shard) override {
    moves.emplace_back(std::string(call.text()), shard);
  }
  std::vector<std::pair<std::string, std::size_t>> moves;
};

/// A node of four runtimes, whose loops the test turns by hand.
struct Several {
  explicit Several(Limits limits = {}) {
    for (AgentType& type : agents::builtin_types()) REQUIRE(types.add(std::move(type)).has_value());
    AgentType hold = agent_type<Body>("hold");
    hold.execution = Execution::loop;
    hold.methods["reply"] = AgentType::AsyncMethod([this](Agent&, Message input) -> Task<Message> {
      holds.push_back(std::make_shared<detail::Cell>());
      const Message held(holds.back());
      co_await held;
      co_return input;
    });
    REQUIRE(types.add(std::move(hold)).has_value());
    RuntimeSettings settings;
    settings.self = {"here", 1};
    settings.limits = limits;
    settings.shards = &shards;
    for (std::size_t i = 0; i < shard_count; ++i) {
      settings.shard = i;
      runtimes.push_back(std::make_unique<Runtime>(loops[i], types, nullptr, settings));
      runtimes.back()->gate()->bind_to_this_thread();
    }
  }
  ~Several() {
    for (const auto& runtime : runtimes) runtime->close(Runtime::Clock::now() + 20s);
    loops.discard();
  }
  Several(const Several&) = delete;
  Several& operator=(const Several&) = delete;

  /// An agent id whose home is that shard.
  std::string name_at(std::size_t shard, const std::string& prefix = "a") const {
    for (int i = 0;; ++i) {
      std::string name = prefix + std::to_string(i);
      if (shards.of_agent(name) == shard) return name;
    }
  }
  /// A call id whose home is that shard.
  CallId id_at(std::size_t shard) const {
    for (;;) {
      const CallId id = CallId::mint();
      if (shards.of(id.home()) == shard) return id;
    }
  }
  Runtime& at(const std::string& agent) { return *runtimes[shards.of_agent(agent)]; }

  void make(const std::string& type, const std::string& id, const std::string& args = "{}") {
    protocol::AgentCreateParams params;
    params.type = type;
    params.agent = id;
    params.args = args;
    bool made = false;
    at(id).create(std::move(params), [&](const Result<AgentPtr>& agent) { made = agent.has_value(); });
    REQUIRE(until([&] { return made; }));
  }
  Result<CallPtr> call(const std::string& agent, const CallId& id, const std::string& input = "null") {
    CallRequest request;
    request.agent = agent;
    request.call = id;
    request.input = CallInput(*protocol::read_input(input, true));
    Runtime& runtime = *runtimes[shards.of_new_call(agent, id)];
    request.caller = runtime.caller("me");
    return runtime.accept(request);
  }

  /// A notification that is refused; answers why.
  Error refuse(const std::string& agent, const CallId& id) {
    CallRequest request;
    request.agent = agent;
    request.call = id;
    Runtime& runtime = *runtimes[shards.of_new_call(agent, id)];
    request.caller = runtime.caller("me");
    const auto refused = runtime.accept(request);
    REQUIRE_FALSE(refused.has_value());
    runtime.refuse(request, refused.error(), true);
    return refused.error();
  }

  bool until(const std::function<bool()>& done) {
    const auto limit = Runtime::Clock::now() + 30s;
    while (!done()) {
      if (Runtime::Clock::now() > limit) return false;
      for (std::size_t i = 0; i < shard_count; ++i) loops[i].run_once(1ms);
    }
    return true;
  }
  void settle() {
    for (int i = 0; i < 50; ++i) {
      for (std::size_t shard = 0; shard < shard_count; ++shard) loops[shard].run_once(0ms);
    }
  }

  async::Loops loops{shard_count};
  Shards shards{loops};
  TypeTable types;
  std::vector<std::shared_ptr<detail::Cell>> holds;
  std::vector<std::unique_ptr<Runtime>> runtimes;
};

}  // namespace

TEST_CASE("an agent that is given no id gets one whose home is the shard that made it") {
  Several node;
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    protocol::AgentCreateParams params;
    params.type = "echo";
    std::string id;
    node.runtimes[shard]->create(params, [&](const Result<AgentPtr>& agent) { id = (*agent)->id; });
    REQUIRE(node.until([&] { return !id.empty(); }));
    CHECK(node.shards.of_agent(id) == shard);
  }
  CHECK(node.runtimes[2]->totals().agents == shard_count);
}

TEST_CASE("a call waits for an input at another shard, and gets it") {
  Several node;
  const std::string first = node.name_at(0);
  const std::string second = node.name_at(3);
  node.make("hold", first);
  node.make("echo", second);
  const CallId id = node.id_at(0);
  const auto awaited = node.call(first, id, "7");
  const auto waiting = node.call(second, node.id_at(3), World::placeholder(id.text()));
  REQUIRE(waiting.has_value());
  REQUIRE(node.until([&] { return node.holds.size() == 1; }));
  CHECK(state_name((*waiting)->state) == "waiting");
  node.holds.front()->settle({});
  REQUIRE(node.until([&] { return (*waiting)->is_settled(); }));
  CHECK(*(*waiting)->content == "7");
  // Once it has settled, too.
  const auto late = node.call(second, node.id_at(3), World::placeholder(id.text()));
  REQUIRE(node.until([&] { return (*late)->is_settled(); }));
  CHECK(*(*late)->content == "7");
}

TEST_CASE("an input at another shard may come after the call that waits for it, and may fail") {
  Several node;
  const std::string first = node.name_at(1);
  const std::string second = node.name_at(2);
  node.make("failer", first);
  node.make("echo", second);
  const CallId id = node.id_at(1);
  const auto waiting = node.call(second, node.id_at(2), World::placeholder(id.text()));
  node.settle();
  REQUIRE(node.call(first, id).has_value());
  REQUIRE(node.until([&] { return (*waiting)->is_settled(); }));
  REQUIRE((*waiting)->error);
  CHECK((*waiting)->error->kind() == ErrorKind::input_failed);
}

TEST_CASE("an input at another shard that never comes fails when its grace is over") {
  Limits limits;
  limits.grace = 20ms;
  Several node(limits);
  const std::string agent = node.name_at(2);
  node.make("echo", agent);
  const auto waiting = node.call(agent, node.id_at(2), World::placeholder(node.id_at(1).text()));
  REQUIRE(node.until([&] { return (*waiting)->is_settled(); }));
  CHECK((*waiting)->error->root().kind() == ErrorKind::call_not_found);
}

TEST_CASE("an agent calls one at another shard, and its order there is kept") {
  Several node;
  const std::string there = node.name_at(3);
  const std::string here = node.name_at(0);
  node.make("counter", there);
  node.make("forwarder", here, R"({"to":)" + World::ref(there) + "}");
  std::vector<CallPtr> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(*node.call(here, node.id_at(0), "1"));
  REQUIRE(node.until([&] { return calls.back()->is_settled(); }));
  for (const CallPtr& call : calls) CHECK(call->state == CallState::done);
  CHECK(node.runtimes[3]->tally().done == 20);
}

TEST_CASE("a call whose id has its home elsewhere runs once that home has let it") {
  Several node;
  const std::string agent = node.name_at(2);
  node.make("echo", agent);
  const CallId id = node.id_at(1);
  const auto call = node.call(agent, id, "5");
  REQUIRE(call.has_value());
  CHECK(state_name((*call)->state) == "waiting");
  CHECK(node.shards.of_call(id) == 2);
  REQUIRE(node.until([&] { return (*call)->is_settled(); }));
  CHECK(*(*call)->content == "5");

  SECTION("it is joined where it is") { CHECK(*node.call(agent, id, "5") == *call); }
  SECTION("at its home it is another call's id") {
    const std::string other = node.name_at(1);
    node.make("echo", other);
    CallRequest request;
    request.agent = other;
    request.call = id;
    const auto refused = node.runtimes[1]->accept(request);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind() == ErrorKind::conflict);
  }
  SECTION("after its release its home remembers it") {
    REQUIRE(node.runtimes[2]->release(id));
    // Until then who asks for it is sent to where it was.
    CHECK(node.shards.of_call(id) == 2);
    node.settle();
    CHECK_FALSE(node.shards.strays().find(id));
    const std::string other = node.name_at(3);
    node.make("echo", other);
    const auto again = node.call(other, id, "6");
    REQUIRE(again.has_value());
    REQUIRE(node.until([&] { return (*again)->is_settled(); }));
    CHECK((*again)->error->kind() == ErrorKind::call_not_found);
    CHECK_FALSE(node.shards.strays().find(id));
  }
}

TEST_CASE("a call whose id is that of a call at the id's home does not run, and leaves nothing behind") {
  Several node;
  const std::string first = node.name_at(1);
  const std::string second = node.name_at(2);
  node.make("echo", first);
  node.make("counter", second);
  const CallId id = node.id_at(1);
  const auto there = node.call(first, id, "5");
  const auto stray = node.call(second, id, "1");
  REQUIRE(node.until([&] { return (*stray)->is_settled(); }));
  CHECK((*stray)->error->kind() == ErrorKind::conflict);
  node.settle();
  CHECK(node.shards.of_call(id) == 1);
  CHECK(node.runtimes[2]->tally().done == 0);
  CHECK(node.runtimes[2]->tally().calls == 0);
  CHECK(*(*there)->content == "5");
}

TEST_CASE("who waits for an id at its home is sent to where the call came, or waits there") {
  Several node;
  const std::string agent = node.name_at(2);
  const std::string waits = node.name_at(1);
  node.make("echo", agent);
  node.make("echo", waits);
  const std::string third = node.name_at(3);
  node.make("echo", third);
  const CallId id = node.id_at(1);
  const auto followed = std::make_shared<Followed>();
  node.runtimes[1]->watch_id(id, followed, 10s);
  const auto dependent = node.call(waits, node.id_at(1), World::placeholder(id.text()));
  const auto elsewhere = node.call(third, node.id_at(3), World::placeholder(id.text()));
  node.settle();
  CHECK(node.runtimes[0]->totals().expected == 1);
  REQUIRE(node.call(agent, id, "8").has_value());
  REQUIRE(node.until([&] { return (*dependent)->is_settled() && (*elsewhere)->is_settled(); }));
  CHECK(*(*dependent)->content == "8");
  CHECK(*(*elsewhere)->content == "8");
  CHECK(followed->moves == decltype(followed->moves){{std::string(id.text()), 2}});
  CHECK(node.runtimes[0]->totals().expected == 0);
}

TEST_CASE("a copy that was refused does not hide the one behind it") {
  Several node;
  const std::string agent = node.name_at(2);
  const CallId id = node.id_at(1);
  CallRequest first;
  first.agent = agent;
  first.call = id;
  CallRequest second;
  second.agent = agent;
  second.call = id;
  // Both are on their way when the first is refused.
  REQUIRE(node.shards.of_new_call(agent, id) == 2);
  REQUIRE(node.shards.of_new_call(agent, id) == 2);
  const auto refused = node.runtimes[2]->accept(first);
  REQUIRE_FALSE(refused.has_value());
  node.runtimes[2]->refuse(first, refused.error(), false);
  node.make("echo", agent);
  const auto call = node.runtimes[2]->accept(second);
  REQUIRE(call.has_value());
  CHECK(node.shards.of_call(id) == 2);
  REQUIRE(node.until([&] { return (*call)->is_settled(); }));
  CHECK((*call)->state == CallState::done);
}

TEST_CASE("an id that one shard has claimed is let to no other") {
  Several node;
  const std::string agent = node.name_at(2);
  node.make("hold", agent);
  const CallId id = node.id_at(1);
  const auto call = node.call(agent, id);
  REQUIRE(node.until([&] { return node.holds.size() == 1; }));
  node.shards.strays().remove(id, 2);
  const std::string other = node.name_at(3);
  node.make("counter", other);
  const auto again = node.call(other, id, "1");
  REQUIRE(again.has_value());
  REQUIRE(node.until([&] { return (*again)->is_settled(); }));
  CHECK((*again)->error->kind() == ErrorKind::conflict);
  CHECK(node.runtimes[3]->tally().done == 0);
  CHECK_FALSE((*call)->is_settled());
}

TEST_CASE("who made a call with a used id is told when that is known, and whose it is") {
  Several node;
  const std::string first = node.name_at(1);
  const std::string second = node.name_at(2);
  node.make("echo", first);
  node.make("echo", second);
  const CallId id = node.id_at(1);
  CallRequest request;
  request.agent = first;
  request.call = id;
  request.origin = 7;
  REQUIRE(node.runtimes[1]->accept(request).has_value());
  const std::uint64_t connection = GENERATE(7, 8);
  CallRequest stray;
  stray.agent = second;
  stray.call = id;
  stray.origin = connection;
  const auto call = node.runtimes[node.shards.of_new_call(second, id)]->accept(stray);
  REQUIRE(call.has_value());
  REQUIRE((*call)->unclaimed);
  std::optional<bool> same;
  node.runtimes[2]->when_claimed(**call, [&](const Call&, const Runtime::ClaimRefusal* refused) {
    REQUIRE(refused);
    same = refused->same_connection;
  });
  REQUIRE(node.until([&] { return same.has_value(); }));
  CHECK(*same == (connection == 7));
}

TEST_CASE("a refused call whose id has its home elsewhere fails who waits there, and is forgotten in time") {
  Limits limits;
  limits.refusal_ttl = 20ms;
  Several node(limits);
  const std::string agent = node.name_at(2);
  const CallId id = node.id_at(1);
  const auto told = std::make_shared<Recorder>();
  node.runtimes[1]->watch_id(id, told, 10s);
  node.refuse(agent, id);
  REQUIRE(node.until([&] { return !told->states.empty(); }));
  CHECK(told->error.kind() == ErrorKind::agent_not_found);
  CHECK(node.shards.of_call(id) == 1);
  const auto asks = [&] {
    const auto later = std::make_shared<Recorder>();
    node.runtimes[1]->watch_id(id, later, 0ms);
    REQUIRE(node.until([&] { return !later->states.empty(); }));
    return later->error.kind();
  };
  CHECK(asks() == ErrorKind::agent_not_found);
  CHECK(node.until([&] { return asks() == ErrorKind::call_not_found; }));
}

TEST_CASE("a refused call does not hide the one that has its id at home") {
  Several node;
  const std::string there = node.name_at(1);
  node.make("hold", there);
  const CallId id = node.id_at(1);
  const auto call = node.call(there, id);
  REQUIRE(call.has_value());
  const std::string nobody = node.name_at(2);
  const auto waits = std::make_shared<Recorder>();
  node.runtimes[1]->watch_id(id, waits, 10s);
  node.refuse(nobody, id);
  (*call)->origin = 7;
  std::optional<bool> same;
  node.at(nobody).ask_home_of_refused(id, 7, [&](bool is_same) { same = is_same; });
  REQUIRE(node.until([&] { return same.has_value(); }));
  CHECK(*same);
  CHECK(node.shards.of_call(id) == 1);
  CHECK(waits->states.empty());
  CHECK(node.runtimes[1]->release(id));
}

TEST_CASE("a lane that a refused call holds opens where its id is released, or runs elsewhere") {
  Several node;
  protocol::AgentCreateParams params;
  params.type = "hold";
  params.agent = node.name_at(2);
  params.options.mailbox = 1;
  const std::string agent = params.agent;
  bool made = false;
  node.at(agent).create(std::move(params), [&](const auto& result) { made = result.has_value(); });
  REQUIRE(node.until([&] { return made; }));
  const auto running = node.call(agent, node.id_at(2));
  REQUIRE(node.until([&] { return (*running)->state == CallState::running; }));
  const auto waiting = node.call(agent, node.id_at(2));
  REQUIRE(waiting.has_value());
  const CallId id = node.id_at(1);
  CHECK(node.refuse(agent, id).details()["limit"] == "mailbox");
  node.settle();
  node.at(agent).cancel(**waiting);
  const auto behind = node.call(agent, node.id_at(2));
  REQUIRE_FALSE(behind.has_value());
  CHECK(behind.error().details()["limit"] == "order");
  if (GENERATE(true, false)) {
    node.runtimes[1]->release(id);
  } else {
    const std::string other = node.name_at(3);
    node.make("echo", other);
    REQUIRE(node.call(other, id).has_value());
  }
  node.settle();
  CHECK(node.call(agent, node.id_at(2)).has_value());
}

TEST_CASE("who made a call that is released before its home has answered is told of it all the same") {
  Several node;
  const std::string agent = node.name_at(2);
  node.make("hold", agent);
  const auto call = node.call(agent, node.id_at(1));
  REQUIRE(call.has_value());
  REQUIRE((*call)->unclaimed);
  std::optional<CallState> told;
  node.runtimes[2]->when_claimed(**call, [&](const Call& made, const Runtime::ClaimRefusal* refused) {
    CHECK_FALSE(refused);
    told = made.state;
  });
  node.runtimes[2]->release((*call)->id);
  node.runtimes[2]->cancel(**call);
  REQUIRE_FALSE(node.runtimes[2]->find_call((*call)->id).has_value());
  REQUIRE(node.until([&] { return told.has_value(); }));
  CHECK(*told == CallState::cancelled);
  node.settle();
  CHECK((*call)->use_count() == 1);
}

TEST_CASE("a released call is there for those who waited for it at its id's home") {
  Several node;
  const std::string agent = node.name_at(2);
  node.make("echo", agent);
  const CallId id = node.id_at(1);
  const auto waits = std::make_shared<Followed>();
  node.runtimes[1]->watch_id(id, waits, 10s);
  const auto call = node.call(agent, id);
  REQUIRE(call.has_value());
  node.runtimes[2]->release(id);
  REQUIRE(node.until([&] { return (*call)->is_settled(); }));
  CHECK(waits->moves.size() == 1);
  CHECK(node.runtimes[2]->find_call(id).has_value());
  CHECK(node.until([&] { return !node.runtimes[2]->find_call(id).has_value(); }));
  CHECK(node.runtimes[2]->tally().outcome_bytes == 0);
}

TEST_CASE("a circle through two shards fails at once, however much else its calls wait for") {
  Several node;
  const std::string first = node.name_at(0);
  const std::string second = node.name_at(3);
  node.make("echo", first);
  node.make("echo", second);
  const std::size_t others = GENERATE(0, 100);
  const auto join = [&](const CallId& id) {
    std::string text = "[" + World::placeholder(id.text());
    for (std::size_t i = 0; i < others; ++i) text += "," + World::placeholder(node.id_at(1 + i % 2).text());
    return text + "]";
  };
  const CallId one = node.id_at(0);
  const CallId other = node.id_at(3);
  const auto waits = node.call(first, one, join(other));
  const auto closes = node.call(second, other, join(one));
  REQUIRE(waits.has_value());
  REQUIRE(closes.has_value());
  REQUIRE(node.until([&] { return (*waits)->is_settled() && (*closes)->is_settled(); }));
  const Error& error = (*waits)->error->root();
  CHECK(error.kind() == ErrorKind::cycle);
}

TEST_CASE("the bounds of a node count all its shards") {
  Limits limits;
  limits.calls = 3;
  limits.agents = 4;
  Several node(limits);
  std::vector<std::string> agents;
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    agents.push_back(node.name_at(shard));
    node.make("hold", agents.back());
  }
  for (std::size_t shard = 0; shard < 3; ++shard) {
    REQUIRE(node.call(agents[shard], node.id_at(shard)).has_value());
  }
  node.settle();
  const auto fourth = node.call(agents[3], node.id_at(3));
  REQUIRE_FALSE(fourth.has_value());
  CHECK(fourth.error().details()["limit"] == "calls");
  std::optional<Error> why;
  protocol::AgentCreateParams params;
  params.type = "echo";
  node.runtimes[1]->create(params, [&](const Result<AgentPtr>& made) { why = made.error(); });
  REQUIRE(why);
  CHECK(why->details()["limit"] == "agents");
}

TEST_CASE("a node that drains takes no call at any shard") {
  Several node;
  const std::string agent = node.name_at(3);
  node.make("echo", agent);
  node.runtimes[0]->drain();
  const auto refused = node.call(agent, node.id_at(3));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind() == ErrorKind::shutting_down);
}

TEST_CASE("a call that an agent has made at another shard ends with it") {
  Several node;
  const std::string there = node.name_at(3);
  const std::string here = node.name_at(0);
  node.make("hold", there);
  node.make("forwarder", here, R"({"to":)" + World::ref(there) + "}");
  const auto call = node.call(here, node.id_at(0), "1");
  REQUIRE(node.until([&] { return node.holds.size() == 1; }));
  node.runtimes[0]->cancel(**call);
  REQUIRE(node.until([&] { return node.runtimes[3]->tally().cancelled == 1; }));
}

}  // namespace agentd::runtime
