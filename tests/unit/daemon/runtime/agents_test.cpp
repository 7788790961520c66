#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

using namespace std::chrono_literals;

namespace {

Result<AgentPtr> create(World& world, protocol::AgentCreateParams params) {
  std::optional<Result<AgentPtr>> made;
  world.runtime->create(std::move(params), [&](Result<AgentPtr> agent) { made = std::move(agent); });
  REQUIRE(world.until([&] { return made.has_value(); }));
  return *made;
}

protocol::AgentCreateParams params(const std::string& type, const std::string& id,
                                   const std::string& args = "{}") {
  protocol::AgentCreateParams made;
  made.type = type;
  made.agent = id;
  made.args = args;
  return made;
}

/// A clone under way.
struct Cloning {
  void of(World& world, const std::string& agent, const std::string& as, const CallerPtr& caller) {
    world.runtime->clone(agent, as, caller, [this](Result<AgentPtr> made) { result = std::move(made); });
  }
  std::optional<Result<AgentPtr>> result;
};

std::optional<Result<Json>> saved(World& world, const AgentPtr& agent) {
  std::optional<Result<Json>> state;
  world.runtime->save(*agent, [&](Result<Json> given) { state = std::move(given); });
  REQUIRE(world.until([&] { return state.has_value(); }));
  return state;
}

}  // namespace

/// A world with a type `slow`, whose constructor waits at the door.
struct SlowToMake : World {
  explicit SlowToMake(Limits limits = {}) : World(limits) {
    AgentType type = agent_type<Body>("slow");
    type.execution = Execution::worker;
    type.make = [this](const Json&) {
      door.pass();
      return std::make_unique<Body>();
    };
    type.methods["reply"] = AgentType::Method([](Agent&, const Message& input) { return input; });
    add(std::move(type));
  }
};

TEST_CASE("an agent that is not made within the node's default deadline is given up, and its id is free") {
  Limits limits;
  limits.deadline = 200ms;
  SlowToMake world(limits);
  std::vector<Result<AgentPtr>> made;
  world.runtime->create(params("slow", "a"), [&](const Result<AgentPtr>& agent) { made.push_back(agent); });
  const auto call = world.call("a", {.deadline = 1h});
  REQUIRE(world.until([&] { return !made.empty(); }));
  REQUIRE_FALSE(made[0].has_value());
  CHECK(made[0].error().kind() == ErrorKind::deadline_exceeded);
  CHECK(made[0].error().agent() == "a");
  REQUIRE(call->error);
  CHECK(call->error->kind() == ErrorKind::deadline_exceeded);
  CHECK(world.runtime->find_agent("a").error().kind() == ErrorKind::agent_not_found);
  const auto again = create(world, params("echo", "a"));
  REQUIRE(again.has_value());
  world.door.open();
  const auto other = world.call("a", {.input = "1", .deadline = 1h});
  REQUIRE(world.until_settled(other));
  CHECK(content_of(*other) == "1");
  CHECK(made.size() == 1);
}

TEST_CASE("whoever creates an agent that is being made is answered when it is made") {
  SlowToMake world;
  std::vector<Result<AgentPtr>> made;
  const auto note = [&](const Result<AgentPtr>& agent) { made.push_back(agent); };
  world.runtime->create(params("slow", "a"), note);
  world.runtime->create(params("slow", "a"), note);
  world.settle();
  REQUIRE(world.door.reached_by(1));
  world.runtime->create(params("slow", "a"), note);
  world.settle();
  CHECK(made.empty());
  world.door.open();
  REQUIRE(world.until([&] { return made.size() == 3; }));
  for (const auto& agent : made) CHECK(*agent == *made[0]);
}

TEST_CASE("however many create an agent that is being made, they are told one after the other") {
  Limits limits;
  limits.mailbox = 100'000;
  SlowToMake world(limits);
  std::size_t told = 0;
  for (int i = 0; i < 100'000; ++i) {
    world.runtime->create(params("slow", "a"), [&](const Result<AgentPtr>& agent) { told += agent ? 1 : 0; });
  }
  std::optional<Error> refused;
  world.runtime->create(params("slow", "a"), [&](const Result<AgentPtr>& agent) { refused = agent.error(); });
  REQUIRE(refused);
  CHECK(refused->kind() == ErrorKind::overloaded);
  world.door.open();
  REQUIRE(world.until([&] { return told == 100'000; }));
}

TEST_CASE("an agent is made before anything else is done with it, whatever is given up meanwhile") {
  World world;
  bool saved = false;
  world.runtime->create(params("block", "a"), [](const Result<AgentPtr>&) {});
  HostedAgent& agent = **world.runtime->find_agent("a");
  world.runtime->save(agent, [&](const Result<Json>& state) { saved = state.has_value(); });
  std::vector<CallPtr> calls;
  for (int i = 0; i < 200; ++i) calls.push_back(world.call("a", {.input = "1"}));
  // Enough to have the mailbox put its heap in order again.
  for (const CallPtr& call : calls) world.runtime->cancel(*call);
  world.settle();
  REQUIRE(world.until([&] { return saved; }));
}

TEST_CASE("an agent gets an id where it was given none, and a name") {
  World world;
  const auto agent = create(world, params("echo", ""));
  CHECK((*agent)->id.starts_with("echo-"));
  CHECK((*agent)->id.size() == 13);
  CHECK((*agent)->name() == "echo");
  const auto named = create(world, params("transcript", "t", R"({"name":"A"})"));
  CHECK((*named)->name() == "A");
  auto own = params("transcript", "u", R"({"name":"A"})");
  own.name = "B";
  CHECK((*create(world, own))->name() == "B");
}

TEST_CASE("what an agent may not be named is no name, where its args have it") {
  World world;
  const std::string longest(256, 'x');
  CHECK((*create(world, params("transcript", "a", R"({"name":")" + longest + "\"}")))->name() == longest);
  CHECK((*create(world, params("transcript", "b", R"({"name":"x)" + longest + "\"}")))->name() ==
        "transcript");
  CHECK((*create(world, params("transcript", "c", R"({"name":"\n"})")))->name() == "transcript");
  CHECK((*create(world, params("transcript", "d", R"({"name":""})")))->name() == "transcript");
}

TEST_CASE("the same id, type and args again is the same agent, and otherwise a conflict") {
  World world;
  const auto agent = create(world, params("counter", "a", R"({"start":1})"));
  CHECK(*create(world, params("counter", "a", R"({ "start" : 1 })")) == *agent);
  CHECK(create(world, params("counter", "a", R"({"start":2})")).error().kind() == ErrorKind::conflict);
  CHECK(create(world, params("echo", "a")).error().kind() == ErrorKind::conflict);
  CHECK(world.runtime->agents() == 1);
}

TEST_CASE("an agent that is there is whose claim it was created with, and anybody's who makes no claim") {
  World world;
  const auto claimed = [](const std::string& claim) {
    auto asked = params("counter", "a");
    asked.options.claim = claim;
    return asked;
  };
  const auto agent = create(world, claimed("mine"));
  CHECK(*create(world, claimed("mine")) == *agent);
  CHECK(*create(world, params("counter", "a")) == *agent);
  CHECK(create(world, claimed("yours")).error().kind() == ErrorKind::conflict);
  CHECK(create(world, params("counter", "b")).has_value());
  auto late = claimed("mine");
  late.agent = "b";
  CHECK(create(world, late).error().kind() == ErrorKind::conflict);
  Cloning copy;
  copy.of(world, "a", "c", world.runtime->caller("program"));
  REQUIRE(world.until([&] { return copy.result.has_value(); }));
  late.agent = "c";
  CHECK(create(world, late).error().kind() == ErrorKind::conflict);
}

TEST_CASE("what cannot be made says why, and leaves nothing behind") {
  World world;
  CHECK(create(world, params("ecko", "a")).error().kind() == ErrorKind::type_not_found);
  CHECK(create(world, params("ecko", "a")).error().details().at("near").at(0) == "echo");
  CHECK(create(world, params("echo", "a b")).error().kind() == ErrorKind::invalid_params);
  const Error refused = create(world, params("sleeper", "a", R"({"seconds":-1})")).error();
  CHECK(refused.kind() == ErrorKind::invalid_params);
  CHECK(refused.message().find("-1") != std::string::npos);
  const Error beyond = create(world, params("sleeper", "a", R"({"seconds":1e400})")).error();
  CHECK(beyond.kind() == ErrorKind::invalid_params);
  CHECK(beyond.message() ==
        R"(agent type "sleeper" refused: arg "seconds" is 1e400: it holds a number beyond )"
        "what a double can; the largest is 1.7976931348623157e308");
  CHECK(world.runtime->agents() == 0);
}

TEST_CASE("whatever a maker throws or answers, only its agent is not made") {
  World world;
  for (const bool on_loop : {true, false}) {
    AgentType throws = agent_type<Body>(on_loop ? "throws" : "throws-there");
    throws.execution = on_loop ? Execution::loop : Execution::worker;
    throws.make = [](const Json&) -> std::unique_ptr<Agent> { throw 42; };
    AgentType none = throws;
    none.name += "-none";
    none.make = [](const Json&) { return nullptr; };
    for (AgentType* type : {&throws, &none}) {
      const std::string name = type->name;
      world.add(std::move(*type));
      CHECK(create(world, params(name, "a")).error().kind() == ErrorKind::invalid_params);
    }
  }
  CHECK(world.runtime->agents() == 0);
}

TEST_CASE("calls to an agent that could not be made fail with it") {
  World world;
  AgentType type = agent_type<Body>("fails");
  type.make = [&world](const Json&) -> std::unique_ptr<Agent> {
    world.door.pass();
    throw std::runtime_error("no");
  };
  world.add(std::move(type));
  std::optional<Error> why;
  world.runtime->create(params("fails", "a"), [&](const Result<AgentPtr>& made) { why = made.error(); });
  const auto call = world.call("a");
  world.door.open();
  REQUIRE(world.until([&] { return why.has_value(); }));
  REQUIRE(call->error);
  CHECK(call->error->kind() == ErrorKind::invalid_params);
  CHECK(call->error->call() == call->id.text());
  CHECK(world.try_call("a").error().kind() == ErrorKind::agent_not_found);
}

TEST_CASE("an agent starts from the state that it is given") {
  World world;
  auto with_state = params("counter", "a");
  with_state.options.state = R"({"sum":41})";
  REQUIRE(create(world, with_state).has_value());
  const auto call = world.call("a");
  world.settle();
  CHECK(content_of(*call) == "42");
  with_state.agent = "b";
  with_state.options.state = R"({"sum":"x"})";
  CHECK(create(world, with_state).error().kind() == ErrorKind::invalid_params);
}

TEST_CASE("a clone has the state that a call at its place would see, and no mailbox") {
  World world;
  world.make("counter", "a");
  world.make("hold", "slow");
  const auto input = world.call("slow", {.input = "10"});
  const auto first = world.call("a", {.input = World::placeholder(*input)});
  Cloning clone;
  clone.of(world, "a", "copy", world.runtime->caller("me"));
  const auto second = world.call("a", {.input = "100"});
  Cloning other;
  other.of(world, "a", "other", world.runtime->caller("you"));
  world.settle();
  // Another caller's lane is free: it sees the state of now.
  REQUIRE(other.result);
  CHECK_FALSE(clone.result);
  world.let_go();
  world.settle();
  REQUIRE(clone.result);
  REQUIRE(clone.result->has_value());
  CHECK((**clone.result)->id == "copy");
  CHECK(content_of(*second) == "110");
  const auto copied = world.call("copy", {.input = "0"});
  const auto early = world.call("other", {.input = "0"});
  world.settle();
  CHECK(content_of(*copied) == "10");
  CHECK(content_of(*early) == "0");
  CHECK(content_of(*first) == "10");
}

TEST_CASE("a clone waits for its place no longer than a call would, and then leaves its lane") {
  Limits limits;
  limits.deadline = std::chrono::milliseconds(20);
  World world(limits);
  world.make("log", "a");
  const auto hour = std::chrono::hours(1);
  const std::string late = World::placeholder(id_of("late").text());
  world.call("a", {.input = late, .deadline = hour});
  Cloning clone;
  clone.of(world, "a", "copy", world.runtime->caller("me"));
  const auto behind = world.call("a", {.input = "2", .deadline = hour});
  REQUIRE(world.until([&] { return clone.result.has_value(); }));
  REQUIRE_FALSE(clone.result->has_value());
  CHECK(clone.result->error().kind() == ErrorKind::deadline_exceeded);
  CHECK_FALSE(world.runtime->find_agent("copy").has_value());
  world.call("a", {.input = "1", .id = "late", .caller = "you", .deadline = hour});
  world.settle();
  CHECK(content_of(*behind) == "2");
  CHECK(world.log == std::vector<std::string>{"1", "1", "2"});
}

TEST_CASE("a clone keeps args, name and options, and gets an id where it was given none") {
  World world;
  protocol::AgentOptions options;
  options.mailbox = 7;
  world.make("transcript", "a", R"({"name":"A"})", options);
  Cloning clone;
  clone.of(world, "a", "", nullptr);
  world.settle();
  REQUIRE(clone.result);
  REQUIRE(clone.result->has_value());
  const HostedAgent& copy = ***clone.result;
  CHECK(copy.id.starts_with("transcript-"));
  CHECK(copy.name() == "A");
  CHECK(copy.args() == R"({"name":"A"})");
  CHECK(copy.settings->options.mailbox == 7);
}

TEST_CASE("agents made alike, one after the other, share what they were made with") {
  World world;
  const AgentPtr first = world.make("transcript", "a", R"({"name":"A"})");
  const AgentPtr second = world.make("transcript", "b", R"({"name":"A"})");
  const AgentPtr other = world.make("transcript", "c", R"({"name":"C"})");
  const AgentPtr plain = world.make("counter", "d");
  CHECK(first->settings == second->settings);
  CHECK(second->settings != other->settings);
  CHECK(plain->settings == nullptr);
  CHECK(first->name() == "A");
  CHECK(other->name() == "C");
  CHECK(plain->name() == "counter");
  CHECK(plain->args() == "{}");
}

TEST_CASE("a clone under an id that is taken is a conflict, and of nothing is not found") {
  World world;
  world.make("counter", "a");
  Cloning taken;
  taken.of(world, "a", "a", nullptr);
  Cloning nothing;
  nothing.of(world, "nobody", "b", nullptr);
  world.settle();
  CHECK(taken.result->error().kind() == ErrorKind::conflict);
  CHECK(nothing.result->error().kind() == ErrorKind::agent_not_found);
}

TEST_CASE("a deleted agent's queued calls fail, its running one finishes, and later ones find nothing") {
  World world;
  world.make("hold", "a");
  world.make("hold", "slow");
  const auto input = world.call("slow");
  const auto running = world.call("a", {.input = "1"});
  const auto queued = world.call("a", {.input = "2"});
  const auto waiting = world.call("a", {.input = World::placeholder(*input)});
  Cloning clone;
  clone.of(world, "a", "b", world.runtime->caller("me"));
  world.settle();
  REQUIRE(world.runtime->remove("a").has_value());
  for (const auto& call : {queued, waiting}) {
    REQUIRE(call->error);
    CHECK(call->error->kind() == ErrorKind::agent_deleted);
    CHECK(call->error->call() == call->id.text());
  }
  REQUIRE(clone.result);
  CHECK(clone.result->error().kind() == ErrorKind::agent_deleted);
  CHECK(world.try_call("a").error().kind() == ErrorKind::agent_not_found);
  CHECK(world.runtime->remove("a").error().kind() == ErrorKind::agent_not_found);
  CHECK(state_of(*running) == "running");
  // In the order they came: slow's, then a's.
  for (std::size_t i = 0; i < world.holds.size(); ++i) world.let_go(i);
  world.settle();
  CHECK(content_of(*running) == "1");
  CHECK(running->message().labels.text(detail::Label::name) == "hold");
  CHECK(world.runtime->agents() == 1);
}

TEST_CASE("an agent may be made again under the id of a deleted one that still runs") {
  World world;
  world.make("hold", "a");
  const auto old = world.call("a", {.input = "1"});
  world.settle();
  REQUIRE(world.runtime->remove("a").has_value());
  world.make("echo", "a");
  const auto fresh = world.call("a", {.input = "2"});
  world.settle();
  CHECK(content_of(*fresh) == "2");
  world.let_go();
  world.settle();
  CHECK(content_of(*old) == "1");
}

TEST_CASE("an agent that is deleted while it is being made is not made") {
  World world;
  AgentType type = agent_type<Body>("slow-to-make");
  type.make = [&world](const Json&) {
    world.door.pass();
    return std::make_unique<Body>();
  };
  world.add(std::move(type));
  std::optional<Result<AgentPtr>> made;
  world.runtime->create(params("slow-to-make", "a"),
                        [&](Result<AgentPtr> agent) { made = std::move(agent); });
  world.settle();
  REQUIRE(world.runtime->remove("a").has_value());
  world.door.open();
  REQUIRE(world.until([&] { return made.has_value(); }));
  REQUIRE_FALSE(made->has_value());
  CHECK(made->error().kind() == ErrorKind::agent_deleted);
}

TEST_CASE("an agent's state can be had while it waits, but not while a worker runs its method") {
  World world;
  const auto counter = world.make("counter", "c", R"({"start":5})");
  CHECK(saved(world, counter)->value() == Json{{"sum", 5}});
  const auto agent = world.make("block", "a");
  CHECK(saved(world, agent)->value().is_null());
  const auto call = world.call("a", {.input = "1"});
  const auto next = world.call("a", {.input = "2"});
  world.settle();
  REQUIRE(world.door.reached_by(1));
  bool told = false;
  world.runtime->save(*agent, [&](const Result<Json>& state) {
    told = state.has_value();
    // Before the next call: it need not wait for the whole mailbox.
    CHECK_FALSE(next->is_settled());
  });
  world.settle();
  CHECK_FALSE(told);
  world.door.open();
  REQUIRE(world.until_settled(next));
  CHECK(told);
}

TEST_CASE("a state that cannot be told fails who asked for it, and nothing else") {
  struct Odd : Agent {
    explicit Odd(const Json& args) : what(args.value("what", 0)) {}
    Json save() const override {
      if (what == 1) throw std::runtime_error("no state");
      if (what == 2) throw 2;
      if (what == 3) return "\xff";
      Json deep = Json::array();
      for (int i = 0; i < 100; ++i) deep = Json::array({deep});
      return deep;
    }
    int what;
  };
  World world;
  for (const Execution execution : {Execution::loop, Execution::worker}) {
    AgentType type = agent_type<Odd>(execution == Execution::loop ? "odd" : "odd-worker");
    type.execution = execution;
    world.add(type);
    for (int what = 1; what <= 4; ++what) {
      const auto agent =
          world.make(type.name, type.name + std::to_string(what), R"({"what":)" + std::to_string(what) + "}");
      CHECK(saved(world, agent)->error().kind() == ErrorKind::agent_failed);
      Cloning clone;
      clone.of(world, agent->id, "copy", nullptr);
      REQUIRE(world.until([&] { return clone.result.has_value(); }));
      CHECK(clone.result->error().kind() == ErrorKind::agent_failed);
    }
  }
}

TEST_CASE("agents are listed in the order they were made") {
  World world;
  for (const char* id : {"c", "a", "b"}) world.make("echo", id);
  REQUIRE(world.runtime->remove("a").has_value());
  std::vector<std::string> ids;
  for (HostedAgent* agent = world.runtime->agent_after(0); agent; agent = agent->next)
    ids.push_back(agent->id);
  CHECK(ids == std::vector<std::string>{"c", "b"});
}

TEST_CASE("what nobody waits for any more leaves a busy agent's mailbox, however much it is") {
  World world;
  world.make("block", "a");
  const auto running = world.call("a", {.input = "1"});
  world.settle();
  REQUIRE(world.door.reached_by(1));
  HostedAgent& agent = **world.runtime->find_agent("a");
  // Held by the mailbox alone, as when a client asks for the state again and again.
  std::vector<Call*> steps;
  for (int i = 0; i < 200; ++i) steps.push_back(world.runtime->save(agent, [](const Result<Json>&) {}).get());
  for (Call* step : steps) world.runtime->drop_step(*step);
  CHECK(agent.mailbox.size() == 0);
  world.door.open();
  REQUIRE(world.until_settled(running));
}

}  // namespace agentd::runtime
