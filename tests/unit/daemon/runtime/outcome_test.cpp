#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

using States = std::vector<std::string>;

TEST_CASE("an outcome is a message with the agent's name, the call's id and its time") {
  World world;
  world.make("echo", "a", R"({})");
  const auto call =
      world.call("a", {.input = R"({"content":1,"name":"n","role":"user","metadata":{"k":1}})"});
  world.settle();
  const detail::MessageData message = call->message();
  CHECK(*message.content == "1");
  CHECK(message.labels.text(detail::Label::name) == "echo");
  CHECK(message.labels.text(detail::Label::role) == "assistant");
  CHECK(message.labels.text(detail::Label::id) == call->id.text());
  CHECK(message.labels.text(detail::Label::timestamp).size() ==
        std::string_view("2026-01-01T00:00:00.000000Z").size());
}

TEST_CASE("the same id and the same request joins the call, or gets its outcome") {
  World world;
  world.make("hold", "a");
  const auto call = world.call("a", {.input = R"({"x":1,"y":2})", .id = "c"});
  world.settle();
  const auto again = world.call(
      "a",
      {.input = R"({ "y":2, "x":1 })", .id = "c", .caller = "you", .deadline = std::chrono::milliseconds(1)});
  CHECK(again == call);
  world.let_go();
  world.settle();
  CHECK(world.call("a", {.input = R"({"x":1,"y":2})", .id = "c"}) == call);
  CHECK(content_of(*call) == R"({"x":1,"y":2})");
  CHECK(world.log.size() == 1);
}

TEST_CASE("the same id for another request is a conflict, and changes nothing") {
  World world;
  world.make("echo", "a");
  world.make("echo", "b");
  const auto call = world.call("a", {.input = "1", .id = "c"});
  const Ask others[] = {
      {.input = "2", .id = "c"}, {.input = "", .id = "c"}, {.input = "1", .id = "c", .method = "observe"}};
  for (const Ask& ask : others) {
    const auto other = world.try_call("a", ask);
    REQUIRE_FALSE(other.has_value());
    CHECK(other.error().kind() == ErrorKind::conflict);
  }
  CHECK(world.try_call("b", {.input = "1", .id = "c"}).error().kind() == ErrorKind::conflict);
  world.settle();
  CHECK(content_of(*call) == "1");
}

TEST_CASE("a released id answers call_not_found, and does not run again") {
  World world;
  world.make("log", "a");
  const auto call = world.call("a", {.input = "1", .id = "c"});
  world.settle();
  CHECK(world.runtime->release(call->id));
  CHECK_FALSE(world.runtime->release(call->id));
  CHECK(world.runtime->find_call(call->id).error().kind() == ErrorKind::call_not_found);
  CHECK(world.try_call("a", {.input = "1", .id = "c"}).error().kind() == ErrorKind::call_not_found);
  world.settle();
  CHECK(world.log.size() == 1);
  CHECK(world.runtime->outcome_bytes() == 0);
  const auto dependent = world.call("a", {.input = World::placeholder(call->id.text())});
  world.settle();
  REQUIRE(dependent->error);
  CHECK(dependent->error->root().kind() == ErrorKind::call_not_found);
}

TEST_CASE("an id that was never seen answers call_not_found") {
  World world;
  CHECK(world.runtime->find_call(id_of("c")).error().kind() == ErrorKind::call_not_found);
  CHECK_FALSE(world.runtime->release(id_of("c")));
}

TEST_CASE("a call that is released before it settles is forgotten when it has; who waits still gets it") {
  World world;
  world.make("hold", "slow");
  world.make("echo", "a");
  const auto call = world.call("slow", {.input = "1"});
  const auto watcher = world.watch(*call);
  const auto dependent = world.call("a", {.input = World::placeholder(*call)});
  world.settle();
  CHECK(world.runtime->release(call->id));
  CHECK(world.runtime->find_call(call->id).has_value());
  world.let_go();
  world.settle();
  CHECK(watcher->states == States{"done"});
  CHECK(content_of(*dependent) == "1");
  CHECK_FALSE(world.runtime->find_call(call->id).has_value());
  CHECK(world.runtime->tally().released == 1);
}

TEST_CASE("an outcome is forgotten when its time to live ends, and its id then not reused") {
  Limits limits;
  limits.outcome_ttl = std::chrono::milliseconds(20);
  World world(limits);
  world.make("echo", "a");
  const auto call = world.call("a", {.input = "1", .id = "c"});
  world.settle();
  CHECK(state_of(*call) == "done");
  CHECK(world.until([&] { return !world.runtime->find_call(call->id).has_value(); }));
  CHECK(world.runtime->tally().expired == 1);
  CHECK(world.runtime->settled() == 0);
  CHECK(world.runtime->outcome_bytes() == 0);
  CHECK(world.try_call("a", {.input = "1", .id = "c"}).error().kind() == ErrorKind::call_not_found);
}

TEST_CASE("an id may be used again when it is no longer remembered") {
  Limits limits;
  limits.tombstones = 1;
  World world(limits);
  world.make("echo", "a");
  for (const char* id : {"c", "d"}) {
    const auto call = world.call("a", {.input = "1", .id = id});
    world.settle();
    world.runtime->release(call->id);
  }
  CHECK(world.try_call("a", {.input = "1", .id = "c"}).has_value());
  CHECK_FALSE(world.try_call("a", {.input = "1", .id = "d"}).has_value());
}

TEST_CASE("a watcher is told once, of a call that settles and of one that has") {
  World world;
  world.make("echo", "a");
  const auto call = world.call("a", {.input = "1"});
  const auto before = world.watch(*call);
  world.settle();
  const auto after = world.watch(*call);
  CHECK(after->states.empty());
  world.settle();
  CHECK(before->states == States{"done"});
  CHECK(before->content == "1");
  CHECK(after->states == States{"done"});
}

TEST_CASE("watchers that have gone do not pile up on a call") {
  struct Fleeting : Recorder {
    [[nodiscard]] bool gone() const override { return true; }
  };
  World world;
  world.make("hold", "a");
  const auto call = world.call("a", {.input = "1"});
  const auto stays = world.watch(*call);
  for (int i = 0; i < 1000; ++i) {
    world.runtime->watch(*call, std::make_shared<Fleeting>(), protocol::SettledMode::value);
  }
  CHECK(call->watches.size() < 8);
  world.settle();
  world.let_go();
  world.settle();
  CHECK(stays->states == States{"done"});
}

TEST_CASE("requests that wait are told before those who watch, and may go before") {
  struct Request : Waiter {
    explicit Request(std::vector<std::string>& the_log) : log(the_log) {}
    void settled(const Call&) override { log.emplace_back("request"); }
    std::vector<std::string>& log;
  };
  struct Watching : Recorder {
    explicit Watching(std::vector<std::string>& the_log) : log(the_log) {}
    void settled(const Call&, protocol::SettledMode) override { log.emplace_back("watcher"); }
    std::vector<std::string>& log;
  };
  World world;
  world.make("echo", "a");
  const auto call = world.call("a", {.input = "1"});
  std::vector<std::string> told;
  world.runtime->watch(*call, std::make_shared<Watching>(told), protocol::SettledMode::value);
  Request first(told);
  Request second(told);
  call->waiters.push_back(first);
  call->waiters.push_back(second);
  {
    Request gone(told);
    call->waiters.push_back(gone);
  }
  world.settle();
  CHECK(told == States{"request", "request", "watcher"});
}

TEST_CASE("calls are listed in the order they were accepted") {
  World world;
  world.make("echo", "a");
  world.make("hold", "b");
  std::vector<CallId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(world.call(i % 2 ? "a" : "b", {.input = "1"})->id);
  world.settle();
  world.runtime->release(ids[1]);
  std::vector<CallId> seen;
  for (const Call* call = world.runtime->call_after(0); call; call = call->next) seen.push_back(call->id);
  CHECK(seen == std::vector<CallId>{ids[0], ids[2], ids[3], ids[4]});
}

TEST_CASE("progress comes in order, before the outcome, and counts from 0") {
  World world;
  world.add_quick("quick", [](Agent&, const Message& input) {
    this_call::progress("one");
    this_call::progress({{"two", 2}});
    return input;
  });
  world.add_worker("worker", [](Agent&, const Message& input) {
    for (int i = 0; i < 3; ++i) this_call::progress(i);
    return input;
  });
  world.make("quick", "q");
  world.make("worker", "w");
  const auto quick = world.call("q", {.input = "1"});
  const auto quick_watcher = world.watch(*quick);
  const auto worker = world.call("w", {.input = "1"});
  const auto worker_watcher = world.watch(*worker);
  REQUIRE(world.until_settled(worker));
  CHECK(quick_watcher->progress == States{"0:\"one\"", "1:{\"two\":2}"});
  CHECK(worker_watcher->progress == States{"0:0", "1:1", "2:2"});
  CHECK(worker_watcher->states == States{"done"});
}

TEST_CASE("progress larger than an outcome may be is the method's failure") {
  World world;
  world.add_quick("loud", [](Agent&, const Message& input) {
    this_call::progress(std::string(2U << 20, 'x'));
    return input;
  });
  world.make("loud", "a");
  const auto call = world.call("a");
  const auto watcher = world.watch(*call);
  world.settle();
  CHECK(watcher->progress.empty());
  REQUIRE(call->error);
  CHECK(call->error->kind() == ErrorKind::agent_failed);
}

TEST_CASE("an outcome that is too large or too deep fails the call, naming the limit") {
  World world;
  world.add_quick("large",
                  [](Agent&, const Message&) { return Message(std::string((1U << 20) - 100, 'x')); });
  world.add_quick("just",
                  [](Agent&, const Message&) { return Message(std::string((1U << 20) - 1000, 'x')); });
  world.make("large", "large");
  world.make("just", "just");
  world.make("echo", "a");
  const auto large = world.call("large");
  const auto just = world.call("just");
  // Each part is within the limit; the join is not, and the answer would be.
  const std::string deep = std::string(64, '[') + std::string(64, ']');
  const auto fits = world.call("a", {.input = R"({"content":)" + deep + "}"});
  const auto too_deep = world.call("a", {.input = R"([{"content":)" + deep + "}]"});
  world.settle();
  CHECK(state_of(*just) == "done");
  CHECK(state_of(*fits) == "done");
  REQUIRE(large->error);
  CHECK(large->error->kind() == ErrorKind::agent_failed);
  CHECK(large->error->details().at("limit") == "outcome_size");
  REQUIRE(too_deep->error);
  CHECK(too_deep->error->kind() == ErrorKind::agent_failed);
  CHECK(too_deep->error->details().at("limit") == "depth");
}

TEST_CASE("a message too deep to be made fails the call as an outcome too deep to be kept does") {
  World world;
  world.add_quick("content", [](Agent&, const Message&) {
    Json deep = 1;
    for (int i = 0; i < 65; ++i) deep = Json::array({deep});
    return Message(deep);
  });
  world.add_quick("join", [](Agent&, const Message&) {
    Message deep = 1;
    for (int i = 0; i < 65; ++i) deep = Message::inputs({deep});
    return deep;
  });
  world.add_quick("other", [](Agent&, const Message&) -> Message {
    throw Error(ErrorKind::agent_failed, "no").at_agent("x").with("limit", "depth");
  });
  for (const char* type : {"content", "join", "other"}) world.make(type, type);
  for (const char* agent : {"content", "join", "other"}) {
    const auto call = world.call(agent);
    world.settle();
    REQUIRE(call->error);
    CHECK(call->error->kind() == ErrorKind::agent_failed);
    CHECK(call->error->details().contains("limit") == (agent != std::string_view("other")));
    CHECK(call->error->cause()->details().at("limit") == "depth");
  }
}

TEST_CASE("a failure's text has its limit, and stays valid UTF-8") {
  World world;
  world.add_quick("wordy", [](Agent&, const Message&) -> Message {
    std::string text = "x";
    while (text.size() < 1'000'000) text += "\xc3\xa9";
    throw std::runtime_error(text);
  });
  world.make("wordy", "a");
  const auto call = world.call("a");
  world.settle();
  REQUIRE(call->error);
  CHECK(call->error->message().size() < 20'000);
  CHECK(call->error->message().starts_with("x\xc3\xa9"));
  CHECK(Json(call->error->message()).dump().size() > 10'000);
}

TEST_CASE("an exception fails that call only, whatever it is") {
  World world;
  world.add_quick("picky", [](Agent&, const Message& input) -> Message {
    if (input.content() == 1) throw std::runtime_error("no 1");
    if (input.content() == 2) throw 2;
    if (input.content() == 3) throw Error(ErrorKind::overloaded, "no 3");
    return input;
  });
  world.make("picky", "a");
  const auto one = world.call("a", {.input = "1"});
  const auto two = world.call("a", {.input = "2"});
  const auto three = world.call("a", {.input = "3"});
  const auto four = world.call("a", {.input = "4"});
  world.settle();
  REQUIRE(one->error);
  CHECK(one->error->kind() == ErrorKind::agent_failed);
  CHECK(one->error->message() == "no 1");
  CHECK(one->error->agent() == "a");
  CHECK(one->error->node() == "here:1");
  CHECK(one->error->cause() == nullptr);
  REQUIRE(two->error);
  CHECK(two->error->kind() == ErrorKind::agent_failed);
  REQUIRE(three->error);
  CHECK(three->error->kind() == ErrorKind::agent_failed);
  REQUIRE(three->error->cause());
  CHECK(three->error->cause()->kind() == ErrorKind::overloaded);
  CHECK(content_of(*four) == "4");
}

TEST_CASE("a coroutine method that throws before it is one fails its call only") {
  World world;
  world.add_coroutine("hasty",
                      [](Agent&, const Message&) -> Task<Message> { throw std::runtime_error("hasty"); });
  world.make("hasty", "a");
  const auto call = world.call("a");
  world.settle();
  REQUIRE(call->error);
  CHECK(call->error->message() == "hasty");
  CHECK(world.runtime->running() == 0);
}

TEST_CASE("a method that the agent lacks is refused, naming those it has") {
  World world;
  world.make("echo", "a");
  const auto call = world.try_call("a", {.method = "sing"});
  CHECK(call.error().kind() == ErrorKind::invalid_params);
  CHECK(call.error().message().find("observe, reply") != std::string::npos);
  CHECK(world.try_call("b").error().kind() == ErrorKind::agent_not_found);
  const auto observed = world.call("a", {.input = "1", .method = "observe"});
  world.settle();
  CHECK(content_of(*observed) == "null");
}

}  // namespace agentd::runtime
