#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "common/vocabulary/cell.hpp"
#include "sdk/src/session.hpp"
#include "tests/integration/sdk/agents.hpp"
#include "tests/integration/support/process.hpp"

using agentd::AgentRef;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using namespace std::chrono_literals;

namespace {

namespace other {
class Gate : public agentd::Agent {
public:
  Message reply(const Message&) override { return "the other one"; }
};
}  // namespace other

/// Has another agent count, and answers with what came meanwhile.
class Listening : public agentd::Agent {
public:
  explicit Listening(const Json& args) : to_(args.at("to")), gate_(args.at("gate")) {}
  Message reply(const Message& x) override {
    // It does not count before somebody listens.
    const Message counted = to_.call("count", gate_(x));
    Json pieces = Json::array();
    counted.on_progress([&](const Json& piece) { pieces.push_back(piece); });
    Gate::open = true;
    counted.wait();
    return pieces;
  }

private:
  AgentRef to_, gate_;
};

/// Runs a coroutine to its end that waits for another agent.
class Patient : public agentd::Agent {
public:
  explicit Patient(const Json& args) : to_(args.at("to")) {}
  Message reply(const Message& x) override { return agentd::sync_wait(ask(to_, x)).content(); }

private:
  static agentd::Task<Message> ask(AgentRef to, Message x) { co_return co_await to(x); }
  AgentRef to_;
};

/// Waits for a copy of another agent.
class Copying : public agentd::Agent {
public:
  explicit Copying(const Json& args) : of_(args.at("of")) {}
  Message reply(const Message&) override { return of_.clone().id(); }

private:
  AgentRef of_;
};

/// The same, where it may not wait.
class HastyCopying : public Copying {
public:
  using Copying::Copying;
  static void describe(agentd::TypeOf<HastyCopying>& type) { type.quick(); }
};

/// Counts those there are.
class Counted : public agentd::Agent {
public:
  Counted() { ++alive; }
  ~Counted() override { --alive; }
  Message reply(const Message&) override { return nullptr; }
  static inline std::atomic<int> alive;
};

/// One flow over agents wherever they are: its transcript.
Json transcript(const AgentRef& a, const AgentRef& b, const AgentRef& c) {
  std::vector<Message> all;
  Message x("begin");
  for (int round = 0; round < 5; ++round) {
    const Message left = b(x), right = c(x);
    x = a({left, right});
    all.insert(all.end(), {left, right, x});
  }
  return Message::inputs(all).content();
}

AgentRef notebook(const char* name) { return agentd::make<Notebook>({{"name", name}}); }

}  // namespace

TEST_CASE("a local agent answers, in the order called") {
  const AgentRef agent = notebook("L");
  std::vector<Message> answers;
  for (int i = 0; i < 1000; ++i) answers.push_back(agent(i));
  for (int i = 0; i < 1000; ++i) REQUIRE(answers[i].content()["n"] == i + 1);
  CHECK(answers[0].name() == "L");
  CHECK_FALSE(answers[0].placeholder());
}

TEST_CASE("a flow has the same transcript wherever its agents are") {
  const Server server;
  const Json local = transcript(notebook("A"), notebook("B"), notebook("C"));
  const Json far = transcript(notebook("A").to_dist(server.here()), notebook("B").to_dist(server.here()),
                              notebook("C").to_dist(server.here()));
  const Json mixed = transcript(notebook("A"), notebook("B").to_dist(), notebook("C").to_dist(server.here()));
  CHECK(local == far);
  CHECK(local == mixed);
}

TEST_CASE("an agent sees the same message wherever it is") {
  const Server server;
  const AgentRef here = agentd::make<Mirror>();
  const std::vector<AgentRef> agents{here, agentd::make<Mirror>().to_dist(server.here()),
                                     agentd::make<Mirror>().to_dist()};
  const Message whole({.content = "tide",
                       .name = "moon",
                       .role = "user",
                       .metadata = {{"phase", 3}},
                       .id = "m-1",
                       .timestamp = "2026-01-02T03:04:05Z"});
  for (const Message& x :
       {whole, Message(), Message("bare"), Message(nullptr), Message::inputs({whole, 1})}) {
    const Json expected = here(x).content();
    for (const AgentRef& agent : agents) CHECK(agent(x).content() == expected);
  }
  CHECK(here(whole).content() == Json{{"content", "tide"},
                                      {"name", "moon"},
                                      {"role", "user"},
                                      {"id", "m-1"},
                                      {"metadata", {{"phase", 3}}},
                                      {"timestamp", "2026-01-02T03:04:05Z"}});
  CHECK(here().content()["content"].is_null());
}

TEST_CASE("an answer says whose it is, and when it was given, wherever the agent is") {
  const Server server;
  for (const AgentRef& agent :
       {notebook("N"), notebook("N").to_dist(server.here()), notebook("N").to_dist()}) {
    const Message answer = agent("x");
    CHECK(answer.name() == "N");
    CHECK(answer.role() == "assistant");
    CHECK_FALSE(answer.id().empty());
    CHECK_THAT(answer.timestamp(), Catch::EndsWith("Z"));
    CHECK(answer.metadata().is_null());
  }
}

TEST_CASE("local answers go to distributed agents, and theirs to local ones") {
  const Server server;
  const AgentRef local = notebook("L"), far = server.make("echo");
  CHECK(far(local(far("x"))).content()["heard"] == "x");
  CHECK(local({far(1), local(2)}).content()["heard"] ==
        Json::array({1, {{"by", "L"}, {"n", 2}, {"heard", 2}}}));
}

TEST_CASE("a call that waits for a local answer holds back the later ones") {
  const Server server;
  Gate::open = false;
  const AgentRef gate = agentd::make<Gate>();
  const AgentRef far = server.make("Notebook");
  const Message first = far(gate("late"));
  const Message second = far("early");
  CHECK_FALSE(second.wait_for(50ms));
  Gate::open = true;
  CHECK(first.content()["n"] == 1);
  CHECK(second.content()["n"] == 2);
}

TEST_CASE("local agents call local and distributed agents") {
  const Server server;
  const AgentRef local = notebook("L"), far = server.make("echo");
  CHECK(agentd::make<Relay>({{"to", local}})("x").content()["heard"] == "x");
  CHECK(agentd::make<AsyncRelay>({{"to", local}})("x").content()["heard"] == "x");
  CHECK(agentd::make<Relay>({{"to", far}})("y").content() == "y");
  CHECK(agentd::make<AsyncRelay>({{"to", far}})("y").content() == "y");
}

TEST_CASE("what a local agent's call to a distributed one was answered is released over there") {
  const Server server;
  const AgentRef far = server.make("echo");
  for (const AgentRef& relay :
       {agentd::make<Relay>({{"to", far}}), agentd::make<AsyncRelay>({{"to", far}})}) {
    for (int i = 0; i < 10; ++i) CHECK(relay(i).content() == i);
  }
  auto& session = agentd::sdk::Session::instance();
  CHECK(becomes_true([&] {
    const auto kept = session.ask(session.node(far.address().node), "call.list", "{}");
    return kept && *kept == R"({"calls":[]})";
  }));
}

TEST_CASE("a local agent hears the progress of the calls it makes, wherever they run") {
  const Server server;
  const AgentRef gate = agentd::make<Gate>();
  for (const AgentRef& to : {notebook("L"), server.make("Notebook")}) {
    Gate::open = false;
    CHECK(agentd::make<Listening>({{"to", to}, {"gate", gate}})(3).content() == Json{1, 2, 3});
  }
}

TEST_CASE("agents that wait in sync_wait do not use up the workers") {
  Gate::open = false;
  std::vector<Message> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(agentd::make<Patient>({{"to", agentd::make<Gate>()}})(i));
  CHECK(notebook("L")("meanwhile").wait_for(10s));
  Gate::open = true;
  for (int i = 0; i < 50; ++i) CHECK(answers[i].content() == i);
}

TEST_CASE("agents that wait for a copy do not use up the workers") {
  const Server server;
  Gate::open = false;
  const AgentRef here = agentd::make<Gate>(), there = server.make("sleeper", {{"seconds", 1}});
  const Message busy = here(0), busy_there = there(0);
  std::vector<Message> copies;
  for (int i = 0; i < 50; ++i) {
    copies.push_back(agentd::make<Copying>({{"of", here}})(i));
    copies.push_back(agentd::make<Copying>({{"of", there}})(i));
  }
  CHECK(notebook("L")("meanwhile").wait_for(10s));
  CHECK_FALSE(copies[0].ready());
  Gate::open = true;
  for (const Message& copy : copies) CHECK_FALSE(copy.error());
}

TEST_CASE("a method that may not wait is told so when it asks for a copy") {
  const Server server;
  for (const AgentRef& of : {notebook("L"), server.make("Notebook")}) {
    (void)of("used").content();
    const Message refused = agentd::make<HastyCopying>({{"of", of}})(0);
    REQUIRE(refused.error());
    CHECK(refused.error()->kind() == ErrorKind::agent_failed);
  }
}

TEST_CASE("a callback of a local agent's answer that would wait is told so") {
  Gate::open = false;
  const Message never = agentd::make<Gate>()(1);
  const Message late(std::make_shared<agentd::detail::Cell>());
  std::promise<std::string> read, run;
  const auto say = [](std::promise<std::string>& said, auto wait) {
    try {
      wait();
      said.set_value("nothing");
    } catch (const std::logic_error& error) {
      said.set_value(error.what());
    }
  };
  const auto answer = [&never]() -> agentd::Task<Message> { co_return co_await never; };
  notebook("L")(late).then([&](const Message&) {
    say(read, [&] { (void)never.content(); });
    say(run, [&] { (void)agentd::sync_wait(answer()); });
  });
  late.cell()->settle({});
  CHECK(read.get_future().get().find("not there yet") != std::string::npos);
  CHECK(run.get_future().get().find("not there yet") != std::string::npos);
  Gate::open = true;
}

TEST_CASE("an agent that only its arguments refer to stays") {
  const AgentRef relay = agentd::make<Relay>({{"to", notebook("L")}});
  CHECK(relay("x").content()["heard"] == "x");
}

TEST_CASE("local calls fail as distributed ones do") {
  const AgentRef failing = agentd::make<Failing>();
  const Message answer = notebook("L")(failing("no tide"));
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::input_failed);
  CHECK(answer.error()->root().message() == "no tide");
  CHECK(answer.error()->root().agent() == failing.id());
  CHECK(answer.error()->root().node().empty());
  const AgentRef stillborn = agentd::make<Stillborn>();
  const AgentRef relay = agentd::make<Relay>({{"to", stillborn}});
  // Before it is known and after.
  for (const Message& refused : {stillborn(1), stillborn(2), relay(3), stillborn(4), relay(5)}) {
    REQUIRE(refused.error());
    CHECK(refused.error()->root().kind() == ErrorKind::invalid_params);
    CHECK(refused.error()->root().message().find("not today") != std::string::npos);
  }
  CHECK(relay(6).error()->root().kind() == ErrorKind::invalid_params);
}

TEST_CASE("who calls a local agent while it turns out that it cannot be made is told why") {
  for (int round = 0; round < 200; ++round) {
    const AgentRef stillborn = agentd::make<Stillborn>();
    std::vector<Message> refused;
    for (int i = 0; i < 4; ++i) refused.push_back(agentd::make<Relay>({{"to", stillborn}})(i));
    refused.push_back(stillborn(0));
    for (const Message& one : refused) {
      REQUIRE(one.error());
      REQUIRE(one.error()->root().message().find("not today") != std::string::npos);
    }
  }
}

TEST_CASE("local calls have deadlines, and can be cancelled") {
  Gate::open = false;
  const AgentRef gate = agentd::make<Gate>();
  const Message late = gate.call("reply", 1, {.deadline = 30ms});
  REQUIRE(late.error());
  CHECK(late.error()->kind() == ErrorKind::deadline_exceeded);
  const Message dropped = gate(2);
  CHECK_FALSE(dropped.wait_for(20ms));
  dropped.cancel();
  REQUIRE(dropped.error());
  CHECK(dropped.error()->kind() == ErrorKind::cancelled);
  Gate::open = true;
}

TEST_CASE("threads and agents may be the first to call an agent, all at once") {
  for (int round = 0; round < 200; ++round) {
    const AgentRef agent = notebook("L");
    const AgentRef relay = agentd::make<AsyncRelay>({{"to", agent}});
    std::vector<std::thread> threads;
    std::vector<Message> answers(4);
    const Message relayed = relay(0);
    for (Message& answer : answers) threads.emplace_back([&] { answer = agent(1); });
    for (std::thread& thread : threads) thread.join();
    for (const Message& answer : answers) REQUIRE_FALSE(answer.error());
    REQUIRE_FALSE(relayed.error());
  }
}

TEST_CASE("a local agent can be cloned, used or not") {
  const AgentRef agent = notebook("L");
  const AgentRef fresh = agent.clone();
  (void)agent("one");
  const AgentRef used = agent.clone();
  CHECK(fresh("x").content()["n"] == 1);
  CHECK(used("x").content()["n"] == 2);
}

TEST_CASE("an agent that cannot be cloned says which it is") {
  class Secretive : public agentd::Agent {
  public:
    Message reply(const Message& x) override { return x; }
    Json save() const override { throw std::runtime_error("no"); }
  };
  const AgentRef agent = agentd::make<Secretive>();
  (void)agent(1).content();
  try {
    (void)agent.clone();
    FAIL("it was cloned");
  } catch (const Error& error) {
    CHECK(error.agent() == agent.id());
  }
}

TEST_CASE("types that were not registered are told apart") {
  CHECK(agentd::make<other::Gate>()(1).content() == "the other one");
  Gate::open = true;
  CHECK(agentd::make<Gate>()(1).content() == 1);
}

TEST_CASE("a local agent whose references are gone still answers") {
  Message answer;
  {
    const AgentRef agent = notebook("L");
    answer = agent("last words");
  }
  CHECK(answer.content()["heard"] == "last words");
}

TEST_CASE("a hub does not keep its local agents") {
  {
    const AgentRef a = agentd::make<Counted>(), b = agentd::make<Counted>();
    agentd::MsgHub hub({a, b});
    hub.say(a);
    hub.wait();
    CHECK(Counted::alive == 2);
  }
  CHECK(becomes_true([] { return Counted::alive == 0; }));
}

TEST_CASE("a local agent's arguments are UTF-8, as a distributed one's are") {
  const Message refused = agentd::make<Notebook>({{"name", "\xff"}})("x");
  REQUIRE(refused.error());
  CHECK(refused.error()->kind() == ErrorKind::invalid_params);
  CHECK(refused.error()->message().find("UTF-8") != std::string::npos);
}

TEST_CASE("a hub lets local and distributed agents hear each other") {
  const Server server;
  const AgentRef a = notebook("A"), b = notebook("B").to_dist(server.here());
  agentd::MsgHub hub({a, b}, "welcome");
  hub.say(a, "begin");
  hub.say(b, "go on");
  hub.wait();
  CHECK(a.call("notes").content().size() == 3);
  CHECK(b.call("notes").content().size() == 3);
}
