#include <algorithm>

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

using namespace std::chrono_literals;

namespace {

std::string limit_of(const Result<CallPtr>& refused) {
  REQUIRE_FALSE(refused.has_value());
  REQUIRE(refused.error().kind() == ErrorKind::overloaded);
  CHECK(refused.error().retryable());
  return refused.error().details().at("limit").get<std::string>();
}

/// A world with an agent `a` whose mailbox holds two calls, and is full.
struct Full : World {
  Full() {
    protocol::AgentOptions options;
    options.mailbox = 2;
    make("hold", "a", "{}", options);
    call("a", {.input = "0"});
    settle();
    call("a", {.input = "1"});
    call("a", {.input = "2"});
  }

  /// As a connection does with a call that it refuses.
  std::string refuse(const std::string& id, const std::string& caller = "me", bool remember = false) {
    const Ask ask{.input = "9", .id = id, .caller = caller};
    CallRequest made = request(agent, ask);
    const auto refused = runtime->accept(made);
    const std::string limit = limit_of(refused);
    runtime->refuse(made, refused.error(), remember);
    return limit;
  }
  void make_room() {
    settle();
    let_go(next_hold++);
    settle();
  }

  std::string agent = "a";
  std::size_t next_hold = 0;
};

}  // namespace

TEST_CASE("a full mailbox refuses, and queues nothing") {
  Full world;
  CHECK(limit_of(world.try_call("a", {.input = "3", .id = "c"})) == "mailbox");
  CHECK_FALSE(world.runtime->find_call(id_of("c")).has_value());
  CHECK(world.runtime->tally().refused == 1);
  world.make_room();
  CHECK(world.try_call("a", {.input = "3", .id = "c"}).has_value());
}

TEST_CASE("a call that could start does not count as waiting, though it starts at the turn's end") {
  World world;
  protocol::AgentOptions options;
  options.mailbox = 1;
  world.make("hold", "a", "{}", options);
  const auto first = world.call("a");
  const auto second = world.call("a");
  CHECK(limit_of(world.try_call("a")) == "mailbox");
  world.settle();
  CHECK(state_of(*first) == "running");
  CHECK(limit_of(world.try_call("a")) == "mailbox");
  world.let_go();
  world.settle();
  CHECK(state_of(*second) == "running");
  SECTION("one that cannot start counts") {
    world.make("echo", "b", "{}", options);
    world.call("b", {.input = World::placeholder(*second)});
    CHECK(limit_of(world.try_call("b")) == "mailbox");
  }
}

TEST_CASE("a call that was cancelled before it could start makes no room for another") {
  World world;
  protocol::AgentOptions options;
  options.mailbox = 1;
  world.make("hold", "slow");
  world.make("hold", "a", "{}", options);
  const auto input = world.call("slow");
  world.runtime->cancel(*world.call("a", {.caller = "them"}));
  world.call("a", {.input = World::placeholder(*input)});
  CHECK(limit_of(world.try_call("a")) == "mailbox");
}

TEST_CASE("after a refusal the caller's further calls to that agent are refused until the id is sent again") {
  Full world;
  CHECK(world.refuse("first") == "mailbox");
  world.make_room();
  CHECK(world.refuse("second") == "order");
  SECTION("sent again") {
    CHECK(world.try_call("a", {.input = "9", .id = "first"}).has_value());
    world.make_room();
    CHECK(world.try_call("a", {.input = "9", .id = "second"}).has_value());
    world.make_room();
    CHECK(world.try_call("a", {.input = "9", .id = "third"}).has_value());
  }
  SECTION("or released") {
    world.runtime->release(id_of("first"));
    CHECK(world.try_call("a", {.input = "9", .id = "third"}).has_value());
  }
}

TEST_CASE("refused calls of a caller to an agent hold it in their order, until all have been sent again") {
  Full world;
  for (const std::string id : {"first", "second", "third"}) world.refuse(id);
  world.make_room();
  world.make_room();
  CHECK(world.refuse("third") == "order");
  CHECK(world.try_call("a", {.input = "9", .id = "first"}).has_value());
  CHECK(world.refuse("third") == "order");
  CHECK(world.refuse("new") == "order");
  SECTION("and refused again they keep their places") {
    CHECK(world.try_call("a", {.input = "9", .id = "filler", .caller = "them"}).has_value());
    CHECK(world.refuse("second") == "mailbox");
    world.make_room();
    CHECK(world.refuse("third") == "order");
  }
  world.make_room();
  world.make_room();
  CHECK(world.try_call("a", {.input = "9", .id = "second"}).has_value());
  world.make_room();
  CHECK(world.try_call("a", {.input = "9", .id = "third"}).has_value());
  world.make_room();
  CHECK(world.try_call("a", {.input = "9", .id = "new"}).has_value());
  world.make_room();
  CHECK(world.try_call("a", {.input = "9", .id = "newer"}).has_value());
}

TEST_CASE("a refused call that is released leaves the others in their order") {
  Full world;
  for (const std::string id : {"first", "second", "third"}) world.refuse(id);
  world.make_room();
  world.runtime->release(id_of("second"));
  CHECK(world.refuse("third") == "order");
  CHECK(world.try_call("a", {.input = "9", .id = "first"}).has_value());
  world.make_room();
  CHECK(world.refuse("new") == "order");
  CHECK(world.try_call("a", {.input = "9", .id = "third"}).has_value());
}

TEST_CASE("who gives up the first of its refused calls is not held up by those behind it") {
  Full world;
  world.refuse("first");
  // A program that makes a new call in place of each that failed, and releases that one afterwards.
  CHECK(world.refuse("second") == "order");
  world.runtime->release(id_of("first"));
  world.make_room();
  CHECK(world.try_call("a", {.input = "9", .id = "third"}).has_value());
}

TEST_CASE("a refused call that is neither sent again nor released holds its lane for its deadline") {
  Limits limits;
  limits.mailbox = 1;
  limits.refusal_ttl = 20ms;
  World world(limits);
  world.make("hold", "a");
  world.call("a");
  world.settle();
  world.call("a");
  const std::string name = "a";
  for (const std::string id : {"first", "second"}) {
    const Ask ask{.id = id, .deadline = 20ms};
    CallRequest request = world.request(name, ask);
    const auto refused = world.runtime->accept(request);
    world.runtime->refuse(request, refused.error(), false);
  }
  world.let_go();
  world.settle();
  CHECK(limit_of(world.try_call("a", {.id = "new"})) == "order");
  CHECK(world.until([&] { return world.try_call("a", {.id = "new"}).has_value(); }));
}

TEST_CASE("a refusal blocks neither other callers nor other agents, nor calls without a caller") {
  Full world;
  world.make("echo", "b");
  world.refuse("first");
  world.make_room();
  CHECK(world.try_call("b", {.input = "1"}).has_value());
  CHECK(world.try_call("a", {.input = "1", .caller = "you"}).has_value());
  world.make_room();
  CHECK(world.try_call("a", {.input = "1", .caller = ""}).has_value());
}

TEST_CASE("a refusal does not block an agent that opted out of order") {
  World world;
  protocol::AgentOptions options;
  options.mailbox = 1;
  options.ordering = protocol::Ordering::ready;
  world.make("hold", "a", "{}", options);
  world.call("a");
  world.settle();
  world.call("a");
  const std::string name = "a";
  const Ask ask{.id = "first"};
  CallRequest request = world.request(name, ask);
  const auto refused = world.runtime->accept(request);
  CHECK(limit_of(refused) == "mailbox");
  world.runtime->refuse(request, refused.error(), false);
  world.let_go();
  world.settle();
  CHECK(world.try_call("a").has_value());
}

TEST_CASE("a refusal does not block an agent that was made anew under that id") {
  Full world;
  world.refuse("first");
  REQUIRE(world.runtime->remove("a").has_value());
  world.make_room();
  world.make("echo", "a");
  CHECK(world.try_call("a", {.input = "1"}).has_value());
}

TEST_CASE("a refused notification is told to whoever waits for its id, and remembered for a while") {
  Limits limits;
  limits.refusal_ttl = 30ms;
  World world(limits);
  world.make("echo", "b");
  const auto watcher = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("c"), watcher, 10s);
  const auto waits = world.call("b", {.input = World::placeholder(id_of("c").text())});
  world.settle();
  const Ask ask{.input = "1", .id = "c"};
  const std::string nobody = "nobody";
  CallRequest request = world.request(nobody, ask);
  const auto refused = world.runtime->accept(request);
  world.runtime->refuse(request, refused.error(), true);
  CHECK(watcher->states == std::vector<std::string>{"unknown"});
  CHECK(watcher->error.kind() == ErrorKind::agent_not_found);
  REQUIRE(waits->error);
  CHECK(waits->error->root().kind() == ErrorKind::agent_not_found);

  const auto later = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("c"), later, 10s);
  const auto dependent = world.call("b", {.input = World::placeholder(id_of("c").text())});
  world.settle();
  CHECK(later->error.kind() == ErrorKind::agent_not_found);
  REQUIRE(dependent->error);
  CHECK(dependent->error->root().kind() == ErrorKind::agent_not_found);

  CHECK(world.until([&] {
    const auto asked = std::make_shared<Recorder>();
    world.runtime->watch_id(id_of("c"), asked, 0ms);
    world.settle();
    return asked->error.kind() == ErrorKind::call_not_found;
  }));
}

TEST_CASE("a refused id that is sent again is a call like any other") {
  World world;
  world.make("echo", "a");
  const Ask ask{.input = "1", .id = "c"};
  const std::string name = "a";
  const CallRequest request = world.request(name, ask);
  world.runtime->refuse(request, Error(ErrorKind::overloaded, "full"), true);
  const auto call = world.call("a", ask);
  world.settle();
  CHECK(content_of(*call) == "1");
  const auto watcher = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("c"), watcher, 0ms);
  world.settle();
  CHECK(watcher->states == std::vector<std::string>{"done"});
}

TEST_CASE("ids that are waited for and not known are bounded") {
  Limits limits;
  limits.expected = 1;
  World world(limits);
  world.make("echo", "a");
  const auto first = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("c"), first, 1h);
  const auto second = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("d"), second, 1h);
  const auto call = world.call("a", {.input = World::placeholder(id_of("e").text())});
  const auto same = world.call("a", {.input = World::placeholder(id_of("c").text()), .caller = "you"});
  CHECK(second->states.empty());
  world.settle();
  CHECK(second->error.kind() == ErrorKind::overloaded);
  CHECK(second->error.details().at("limit") == "expected");
  REQUIRE(call->error);
  CHECK(call->error->root().kind() == ErrorKind::overloaded);
  CHECK(state_of(*same) == "waiting");
  world.call("a", {.input = "1", .id = "c", .caller = "them"});
  world.settle();
  CHECK(first->states == std::vector<std::string>{"done"});
  CHECK(content_of(*same) == "1");
}

TEST_CASE("a quarter of the outcomes that are yet to be told may be for one watcher") {
  Limits limits;
  limits.tellings = 8;
  World world(limits);
  world.make("echo", "a");
  const auto call = world.call("a", {.input = "1"});
  REQUIRE(world.until_settled(call));
  std::vector<std::shared_ptr<Recorder>> watchers;
  const auto ask_thrice = [&] {
    watchers.push_back(std::make_shared<Recorder>());
    for (int i = 0; i < 3; ++i) world.runtime->watch_id(call->id, watchers.back(), 0s);
  };
  for (int i = 0; i < 5; ++i) ask_thrice();
  world.settle();
  std::vector<long> told;
  std::vector<std::string> limits_named;
  for (const auto& one : watchers) {
    told.push_back(std::count(one->states.begin(), one->states.end(), "done"));
    CHECK(one->error.kind() == ErrorKind::overloaded);
    limits_named.push_back(one->error.details().at("limit"));
  }
  CHECK(told == std::vector<long>{2, 2, 2, 2, 0});
  const std::string own = "connection_tellings";
  CHECK(limits_named == std::vector<std::string>{own, own, own, "tellings", "tellings"});
  // What was told leaves room.
  ask_thrice();
  world.settle();
  CHECK(std::count(watchers.back()->states.begin(), watchers.back()->states.end(), "done") == 2);
}

TEST_CASE("one watcher may wait for a quarter of the unknown ids, and leaves room when it goes") {
  Limits limits;
  limits.expected = 8;
  World world(limits);
  const auto greedy = std::make_shared<Recorder>();
  for (const char* id : {"c", "d", "c", "d"}) world.runtime->watch_id(id_of(id), greedy, 1h);
  world.settle();
  CHECK(greedy->states.empty());
  world.runtime->watch_id(id_of("e"), greedy, 1h);
  world.settle();
  CHECK(greedy->states == std::vector<std::string>{"unknown"});
  CHECK(greedy->error.details().at("limit") == "connection_expected");
  SECTION("what has come does not count") {
    world.make("echo", "a");
    world.call("a", {.input = "1", .id = "c"});
    world.runtime->watch_id(id_of("e"), greedy, 1h);
    world.settle();
    CHECK(greedy->states == std::vector<std::string>{"unknown", "done"});
  }
  SECTION("nor what it does not wait for any more") {
    world.runtime->stop_waiting(id_of("d"), *greedy);
    world.runtime->watch_id(id_of("e"), greedy, 1h);
    world.settle();
    CHECK(greedy->states.size() == 1);
  }
  SECTION("and when it has gone others have the room") {
    std::vector<std::shared_ptr<Recorder>> others;
    const auto ask = [&](const std::string& who) {
      others.push_back(std::make_shared<Recorder>());
      for (const char* id : {"1", "2"}) world.runtime->watch_id(id_of(who + id), others.back(), 1h);
    };
    for (const std::string who : {"x", "y", "z", "w"}) ask(who);
    world.settle();
    CHECK(others[2]->states.empty());
    CHECK(others[3]->error.details().at("limit") == "expected");
    world.runtime->stop_waiting(*greedy);
    ask("v");
    world.settle();
    CHECK(others.back()->states.empty());
    CHECK(greedy->states.size() == 1);
  }
}

namespace {

/// What became of a call with that input alone: the limit that it ran into, or its state.
std::string limit_or_state(const Call& call) {
  return call.error ? call.error->root().details().value("limit", state_of(call)) : state_of(call);
}

/// A node that waits for eight unknown ids at most, and an agent that takes what comes.
struct Expecting : World {
  Expecting()
      : World([] {
          Limits limits;
          limits.expected = 8;
          limits.grace = 1h;
          return limits;
        }()) {
    protocol::AgentOptions options;
    options.ordering = protocol::Ordering::ready;
    make("echo", "a", "{}", options);
  }

  CallPtr wait_for(const std::vector<std::string>& ids, std::uint64_t connection) {
    std::string input = "[";
    for (const std::string& id : ids) input += placeholder(id_of(id).text()) + ',';
    CallPtr made = call("a", {.input = input + "1]", .connection = connection});
    settle();
    return made;
  }
};

}  // namespace

TEST_CASE("the inputs of one connection's calls may wait for a quarter of the unknown ids") {
  Expecting world;
  CHECK(limit_or_state(*world.wait_for({"c", "d", "c"}, 1)) == "waiting");
  CHECK(limit_or_state(*world.wait_for({"e"}, 1)) == "connection_expected");
  CHECK(limit_or_state(*world.wait_for({"d"}, 1)) == "waiting");
  CHECK(limit_or_state(*world.wait_for({"e", "f", "g"}, 2)) == "connection_expected");
  SECTION("with those that it has subscribed to") {
    const auto watcher = std::make_shared<Recorder>(3);
    world.runtime->watch_id(id_of("h"), watcher, 1h);
    CHECK(limit_or_state(*world.wait_for({"h", "i"}, 3)) == "waiting");
    CHECK(limit_or_state(*world.wait_for({"j"}, 3)) == "connection_expected");
    world.runtime->stop_waiting(*watcher);
    CHECK(limit_or_state(*world.wait_for({"j"}, 3)) == "connection_expected");
  }
  SECTION("and what has come does not count") {
    world.call("a", {.input = "1", .id = "c"});
    CHECK(limit_or_state(*world.wait_for({"h"}, 1)) == "waiting");
    CHECK(limit_or_state(*world.wait_for({"i"}, 1)) == "connection_expected");
  }
  SECTION("and all that came over HTTP counts as one connection") {
    CHECK(limit_or_state(*world.wait_for({"h"}, 0)) == "waiting");
    CHECK(limit_or_state(*world.wait_for({"i"}, 0)) == "waiting");
    CHECK(limit_or_state(*world.wait_for({"j"}, 0)) == "connection_expected");
  }
}

TEST_CASE("inputs that were waited for long enough leave room for others") {
  Limits limits;
  limits.expected = 4;
  limits.grace = 1ms;
  World world(limits);
  world.make("echo", "a");
  const auto wait_for = [&](const std::string& id) {
    return world.call("a", {.input = World::placeholder(id_of(id).text()), .connection = 1});
  };
  const CallPtr late = wait_for("c");
  REQUIRE(world.until_settled(late));
  CHECK(late->error->root().kind() == ErrorKind::call_not_found);
  const CallPtr later = wait_for("d");
  REQUIRE(world.until_settled(later));
  CHECK(later->error->root().kind() == ErrorKind::call_not_found);
}

TEST_CASE("an unknown id is waited for no longer than the longest grace") {
  Limits limits;
  limits.longest_grace = 1ms;
  World world(limits);
  const auto watcher = std::make_shared<Recorder>();
  world.runtime->watch_id(id_of("c"), watcher, 1h);
  REQUIRE(world.until([&] { return !watcher->states.empty(); }));
  CHECK(watcher->error.kind() == ErrorKind::call_not_found);
}

TEST_CASE("unsettled calls of the node are bounded") {
  Limits limits;
  limits.calls = 2;
  World world(limits);
  world.make("hold", "a");
  world.call("a");
  world.call("a");
  CHECK(limit_of(world.try_call("a")) == "calls");
  world.settle();
  world.let_go();
  world.settle();
  CHECK(world.try_call("a").has_value());
}

TEST_CASE("the outcome store is bounded, a caller has a quarter of it, and nothing is evicted") {
  Limits limits;
  limits.outcomes = 40'000;
  World world(limits);
  world.make("echo", "a");
  const std::string big = '"' + std::string(6'000, 'x') + '"';
  const auto first = world.call("a", {.input = big});
  world.settle();
  CHECK(limit_of(world.try_call("a", {.input = big})) == "caller_outcomes");
  for (int i = 0; i < 3; ++i) {
    world.call("a", {.input = big, .caller = "c" + std::to_string(i)});
    world.settle();
  }
  CHECK(limit_of(world.try_call("a", {.input = big, .caller = "one more"})) == "outcomes");
  CHECK(content_of(*first) == big);
  world.runtime->release(first->id);
  CHECK(world.try_call("a", {.input = big}).has_value());
}

TEST_CASE("agents of the node are bounded") {
  Limits limits;
  limits.agents = 1;
  World world(limits);
  world.make("echo", "a");
  protocol::AgentCreateParams params;
  params.type = "echo";
  std::optional<Error> why;
  world.runtime->create(params, [&](const Result<AgentPtr>& made) { why = made.error(); });
  REQUIRE(why);
  CHECK(why->kind() == ErrorKind::overloaded);
  CHECK(why->details().at("limit") == "agents");
}

TEST_CASE("an outcome is counted with all that is kept of its call") {
  World world;
  world.make("echo", "a");
  const std::string big(100'000, 'x');
  const auto counted = [&](const std::string& agent, const std::string& input) {
    const auto before = world.runtime->outcome_bytes();
    world.call(agent, {.input = input});
    world.settle();
    return world.runtime->outcome_bytes() - before;
  };
  CHECK(counted("a", R"({"content":1,"metadata":{"m":")" + big + "\"}}") > big.size());
  CHECK(counted("a", R"({"content":1,"name":")" + big + "\"}") > big.size());
}

TEST_CASE("what waits for an unsettled call is forgotten when it has settled by its deadline") {
  World world;
  world.make("hold", "x");
  world.make("echo", "a");
  const auto input = world.call("x", {.input = "1"});
  for (int i = 0; i < 1000; ++i) {
    const auto dependent = world.call("a", {.input = World::placeholder(*input), .caller = ""});
    world.runtime->cancel(*dependent);
    world.settle();
  }
  CHECK(input->dependents.size() < 20);
}

TEST_CASE("callers that are gone are not kept") {
  World world;
  const auto kept = world.runtime->caller("kept");
  for (int i = 0; i < 20'000; ++i) (void)world.runtime->caller("c" + std::to_string(i));
  CHECK(world.runtime->caller("kept") == kept);
}

namespace {

/// `count` times the placeholder of one outcome, as a join or within one content.
std::string many(const Call& call, int count, bool join) {
  std::string list = "[";
  for (int i = 0; i < count; ++i) list += (i > 0 ? "," : "") + World::placeholder(call);
  list += ']';
  return join ? list : R"({"content":)" + list + '}';
}

/// A node that assembles 4000 bytes for one call, and 6000 for all that run.
struct SmallInputs : World {
  SmallInputs()
      : World([] {
          Limits limits;
          limits.input = 4000;
          limits.running_inputs = 6000;
          return limits;
        }()) {
    make("log", "log");
    source = call("log", {.input = '"' + std::string(1000, 'x') + '"'});
    settle();
    log.clear();
  }
  CallPtr source;
};

}  // namespace

TEST_CASE("an input that its placeholders make too large fails the call, which does not run") {
  SmallInputs world;
  const bool join = GENERATE(true, false);
  const CallPtr fits = world.call("log", {.input = many(*world.source, 3, join)});
  const CallPtr large = world.call("log", {.input = many(*world.source, 4, join)});
  world.settle();
  CHECK(state_of(*fits) == "done");
  REQUIRE(state_of(*large) == "failed");
  CHECK(large->error->kind() == ErrorKind::invalid_params);
  CHECK_FALSE(large->error->retryable());
  CHECK(large->error->details().at("limit") == "input");
  CHECK(large->error->agent() == "log");
  CHECK(world.log.size() == 1);
}

TEST_CASE("what comes from elsewhere is let go as soon as it is too large together") {
  SmallInputs world;
  std::string input = "[";
  for (int i = 0; i < 9; ++i)
    input += World::placeholder("elsewhere-" + std::to_string(i) + "-0123456", "there", 9) + ",";
  const CallPtr call = world.call("log", {.input = input + "1]"});
  world.settle();
  REQUIRE(world.foreign.watched.size() == 9);
  for (int i = 0; i < 4; ++i) world.foreign.watched[i].on_outcome(message_of(std::string(1000, '1')));
  CHECK(state_of(*call) == "failed");
}

TEST_CASE("large inputs of running calls are bounded together, and one alone always runs") {
  SmallInputs world;
  for (const std::string id : {"a", "b", "c"}) world.make("hold", id);
  const CallPtr first = world.call("a", {.input = many(*world.source, 3, true)});
  const CallPtr second = world.call("b", {.input = many(*world.source, 3, true)});
  const CallPtr plain = world.call("c", {.input = "1"});
  world.settle();
  CHECK(state_of(*first) == "running");
  CHECK(state_of(*plain) == "running");
  REQUIRE(state_of(*second) == "failed");
  CHECK(second->error->kind() == ErrorKind::overloaded);
  CHECK(second->error->details().at("limit") == "running_inputs");
  CHECK(world.runtime->running() == 2);
  // What waits for nothing began first.
  world.let_go(1);
  world.settle();
  const CallPtr third = world.call("b", {.input = many(*world.source, 3, true)});
  world.settle();
  CHECK(state_of(*third) == "running");
}

}  // namespace agentd::runtime
