#include <algorithm>
#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "sdk/src/local_host.hpp"
#include "tests/integration/sdk/agents.hpp"
#include "tests/integration/support/process.hpp"

using agentd::AgentRef;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using namespace std::chrono_literals;

namespace {

/// Counts its calls, slowly, on an event loop.
class Ledger : public agentd::Agent {
public:
  agentd::Task<Message> reply_async(Message) override {
    const int before = count_;
    co_await agentd::this_call::sleep(1ms);
    count_ = before + 1;
    co_return Json{{"n", count_}};
  }
  Json save() const override { return count_; }
  void restore(const Json& state) override { count_ = state; }

private:
  int count_ = 0;
};

/// Counts its calls, at once, on an event loop.
class Tally : public agentd::Agent {
public:
  Message reply(const Message&) override { return Json{{"n", ++count_}}; }
  Json save() const override { return count_; }
  void restore(const Json& state) override { count_ = state; }
  static void describe(agentd::TypeOf<Tally>& type) { type.quick(); }

private:
  int count_ = 0;
};

/// Calls another agent again and again, and answers which `n` each of the calls got.
class Insistent : public agentd::Agent {
public:
  explicit Insistent(const Json& args) : to_(args.at("to")) {}
  Message reply(const Message&) override {
    Json heard = Json::array();
    for (int more = 5; more > 0; more -= stop ? 1 : 0) {
      std::vector<Message> answers;
      for (int i = 0; i < 10; ++i) answers.push_back(to_(i));
      for (const Message& answer : answers) heard.push_back(answer.content()["n"]);
      goes_on = true;
    }
    return heard;
  }
  static inline std::atomic<bool> goes_on, stop;

private:
  AgentRef to_;
};

/// Moves the agent in its arguments.
class Restless : public agentd::Agent {
public:
  explicit Restless(const Json& args) : of_(args.at("of")) {}
  Message reply(const Message&) override { return of_.to_dist().id(); }

private:
  AgentRef of_;
};

/// Runs until it is told, and then does what would move it.
class Homing : public agentd::Agent {
public:
  Message reply(const Message&) override {
    while (!go) std::this_thread::sleep_for(1ms);
    return move();
  }
  static inline std::atomic<bool> go;
  static inline std::function<Message()> move;
};

/// Whether a call of that local agent, or its leaving, waits for the one that runs.
bool has_waiting(const AgentRef& agent) {
  std::promise<bool> waiting;
  agentd::sdk::LocalHost::instance().post([&, id = agent.id()](agentd::runtime::Runtime& runtime) {
    const auto there = runtime.find_agent(id);
    waiting.set_value(there && (*there)->mailbox.size() > 0);
  });
  return waiting.get_future().get();
}

/// Has another agent count to what is not there yet, and answers with what came meanwhile.
class Early : public agentd::Agent {
public:
  explicit Early(const Json& args) : to_(args.at("to")), gate_(args.at("gate")) {}
  Message reply(const Message& x) override {
    const Message counted = to_.call("count", gate_(x));
    Json pieces = Json::array();
    counted.on_progress([&](const Json& piece) { pieces.push_back(piece); });
    // In its turn behind the other one.
    const Message next = to_("next");
    asked = true;
    pieces.push_back(counted.content());
    pieces.push_back(next.content()["heard"]);
    return pieces;
  }
  static inline std::atomic<bool> asked;

private:
  AgentRef to_, gate_;
};

Json first_numbers(std::size_t count) {
  Json numbers = Json::array();
  for (std::size_t n = 1; n <= count; ++n) numbers.push_back(n);
  return numbers;
}

/// An agent that calls `to` all the time while `act` runs; answers what it was told.
Json called_while(const AgentRef& to, const std::function<void()>& act) {
  Insistent::goes_on = Insistent::stop = false;
  const Message heard = agentd::make<Insistent>({{"to", to}})(0);
  REQUIRE(becomes_true([] { return Insistent::goes_on.load(); }));
  act();
  Insistent::stop = true;
  return heard.content();
}

}  // namespace

AGENTD_REGISTER_AGENT(Ledger);
AGENTD_REGISTER_AGENT(Tally);
AGENTD_REGISTER_AGENT(Homing);

TEST_CASE("an agent that another one calls meanwhile is moved without losing or repeating a call") {
  const Server server;
  const auto make = GENERATE(
      +[] { return agentd::make<Notebook>(); }, +[] { return agentd::make<Ledger>(); },
      +[] { return agentd::make<Tally>(); });
  const bool launched = GENERATE(false, true);
  const AgentRef agent = make();
  AgentRef there;
  const Json heard =
      called_while(agent, [&] { there = launched ? agent.to_dist() : agent.to_dist(server.here()); });
  CHECK(heard == first_numbers(heard.size()));
  CHECK(there("last").content()["n"] == heard.size() + 1);
}

TEST_CASE("an agent that cannot be moved goes on for those who call it meanwhile") {
  const Server server;
  (void)agentd::remote("echo", {.port = server.at().port, .id = "taken"});
  const auto make = GENERATE(
      +[] { return agentd::make<Notebook>(); }, +[] { return agentd::make<Ledger>(); },
      +[] { return agentd::make<Tally>(); });
  const AgentRef agent = make();
  const Json heard = called_while(agent, [&] {
    for (int i = 0; i < 3; ++i) {
      agentd::DistOptions taken = server.here();
      taken.id = "taken";
      CHECK_THROWS_AS(agent.to_dist(taken), Error);
    }
  });
  CHECK(heard == first_numbers(heard.size()));
  CHECK(agent.to_dist(server.here())("last").content()["n"] == heard.size() + 1);
}

TEST_CASE("an agent that is called while it is made elsewhere for the first time is one agent") {
  const Server server;
  for (int round = 0; round < 20; ++round) {
    const AgentRef agent = agentd::make<Notebook>();
    auto first = std::async(std::launch::async, [&] { return agent("first"); });
    const AgentRef there = agent.to_dist(server.here());
    CHECK(first.get().content()["n"] == 1);
    CHECK(there("second").content()["n"] == 2);
  }
}

TEST_CASE("calls that wait for their input are taken along, in order") {
  const Server server;
  Gate::open = Early::asked = false;
  const AgentRef notebook = agentd::make<Notebook>();
  const Message pieces = agentd::make<Early>({{"to", notebook}, {"gate", agentd::make<Gate>()}})(3);
  REQUIRE(becomes_true([] { return Early::asked.load(); }));
  const AgentRef there = notebook.to_dist(server.here());
  CHECK_FALSE(pieces.ready());
  Gate::open = true;
  CHECK(pieces.content() == Json{1, 2, 3, 3, "next"});
  CHECK(there.call("notes").content() == Json::array({"next"}));
}

TEST_CASE("a copy of an agent that was moved has what was called before it") {
  const Server server;
  Gate::open = Early::asked = false;
  const AgentRef notebook = agentd::make<Notebook>();
  const AgentRef gate = agentd::make<Gate>();
  // While a call of before the move has not settled, later ones take the same way.
  const Message pieces = agentd::make<Early>({{"to", notebook}, {"gate", gate}})(3);
  REQUIRE(becomes_true([] { return Early::asked.load(); }));
  (void)notebook.to_dist(server.here());
  const Message noted = notebook(gate("in its turn"));
  const auto opened = std::async(std::launch::async, [] {
    std::this_thread::sleep_for(50ms);
    Gate::open = true;
  });
  const Json notes = notebook.clone().call("notes").content();
  CHECK(std::ranges::count(notes, Json("in its turn")) == 1);
  CHECK(noted.content()["heard"] == "in its turn");
  CHECK(pieces.content().size() == 5);
}

TEST_CASE("calls of other threads of the program are not lost when the agent is moved") {
  const Server server;
  const AgentRef notebook = agentd::make<Notebook>();
  (void)notebook(0).content();
  std::atomic<bool> moved = false;
  auto calls = std::async(std::launch::async, [&] {
    std::vector<Message> answers;
    for (int more = 100; more > 0; more -= moved ? 1 : 0) {
      answers.push_back(notebook(answers.size() + 1));
      if (answers.size() % 10 == 0) answers.back().wait();
    }
    return answers;
  });
  (void)notebook.to_dist(server.here());
  moved = true;
  const auto answers = calls.get();
  for (std::size_t i = 0; i < answers.size(); ++i) REQUIRE(answers[i].content()["n"] == i + 2);
}

TEST_CASE("two threads that move an agent move it once, and both know where it is") {
  const Server server;
  for (int round = 0; round < 20; ++round) {
    const AgentRef notebook = agentd::make<Notebook>();
    (void)notebook("one").content();
    std::promise<void> begin;
    const auto begun = begin.get_future().share();
    std::vector<std::future<AgentRef>> movers;
    for (int i = 0; i < 2; ++i) {
      movers.push_back(std::async(std::launch::async, [&] {
        begun.wait();
        return notebook.to_dist(server.here());
      }));
    }
    begin.set_value();
    std::vector<AgentRef> there;
    for (auto& mover : movers) {
      // One that comes when all is over is told that the agent is distributed already.
      try {
        there.push_back(mover.get());
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::not_supported);
      }
    }
    REQUIRE_FALSE(there.empty());
    for (const AgentRef& agent : there) CHECK(agent.address() == notebook.address());
    CHECK(notebook("two").content()["n"] == 2);
  }
}

TEST_CASE("of two agents that move onto one id at once, one does, and the other stays") {
  const Server server;
  const bool used = GENERATE(false, true);
  for (int round = 0; round < 20; ++round) {
    agentd::DistOptions onto = server.here();
    onto.id = (used ? "used-" : "unused-") + std::to_string(round);
    const std::vector<AgentRef> agents{agentd::make<Notebook>(), agentd::make<Notebook>()};
    for (const AgentRef& agent : agents) {
      if (used) (void)agent("same").content();
    }
    std::vector<std::future<AgentRef>> moves;
    for (const AgentRef& agent : agents) {
      moves.push_back(std::async(std::launch::async, [&agent, &onto] { return agent.to_dist(onto); }));
    }
    int refused = 0;
    for (auto& move : moves) {
      try {
        const AgentRef there = move.get();
        CHECK(there.id() == onto.id);
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::conflict);
        ++refused;
      }
    }
    REQUIRE(refused == 1);
    for (const AgentRef& agent : agents) CHECK(agent("own").content()["n"] == (used ? 2 : 1));
  }
}

TEST_CASE("an agent may move another one") {
  const AgentRef notebook = agentd::make<Notebook>();
  const AgentRef relay = agentd::make<Relay>({{"to", notebook}});
  (void)notebook("x").content();
  CHECK_FALSE(agentd::make<Restless>({{"of", notebook}})(0).error());
  CHECK(notebook("y").content()["n"] == 2);
  CHECK(relay("z").content()["n"] == 3);
}

TEST_CASE("what moves an agent from its own call fails, also while another thread moves it") {
  const Server server;
  const bool itself = GENERATE(false, true);
  const bool moved_meanwhile = GENERATE(false, true);
  const AgentRef homing = agentd::make<Homing>();
  const AgentRef restless = agentd::make<Restless>({{"of", homing}});
  Homing::go = false;
  Homing::move = [&]() -> Message { return itself ? Message(homing.to_dist().id()) : restless(0); };
  const Message answer = homing(0);
  std::future<AgentRef> other;
  if (moved_meanwhile) {
    other = std::async(std::launch::async, [&] { return homing.to_dist(server.here()); });
    REQUIRE(becomes_true([&] { return has_waiting(homing); }));
  }
  Homing::go = true;
  REQUIRE(answer.wait_for(20s));
  REQUIRE(answer.error());
  CHECK(answer.error()->root().kind() == ErrorKind::cycle);
  if (moved_meanwhile) CHECK(other.get().address().node.port == server.at().port);
}
