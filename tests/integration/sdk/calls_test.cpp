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

TEST_CASE("a call over the wire answers what the agent answers") {
  const Server server;
  const AgentRef echo = server.make("echo");
  const Message answer = echo(Json{{"tide", {1, 2.5, "three"}}});
  CHECK(answer.content() == Json{{"tide", {1, 2.5, "three"}}});
  CHECK(answer.role() == "assistant");
  CHECK(answer.name() == "echo");
  CHECK(answer.placeholder()->node.port == server.at().port);
}

TEST_CASE("10,000 calls of one program to one agent run in the order made") {
  const Server server;
  const AgentRef notebook = server.make("Notebook");
  std::vector<Message> answers;
  for (int i = 0; i < 10'000; ++i) answers.push_back(notebook(i));
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE(answers[i].content()["n"] == i + 1);
    REQUIRE(answers[i].content()["heard"] == i);
  }
}

TEST_CASE("an answer goes from one server to another by reference") {
  const Server first, second;
  const AgentRef slow = first.make("sleeper", {{"seconds", 0.1}});
  const AgentRef echo = second.make("echo");
  const Message answer = echo(slow("tide"));
  CHECK_FALSE(answer.ready());
  CHECK(answer.content() == "tide");
}

TEST_CASE("a join of answers of several servers is one input") {
  const Server first, second;
  const Message a = first.make("echo")("a"), b = second.make("echo")("b");
  CHECK(second.make("echo")({a, b, "c"}).content() == Json{"a", "b", "c"});
  CHECK(first.make("echo")(agentd::when_all({a, Message::inputs({b, 1})})).content() ==
        Json{"a", Json{"b", 1}});
}

TEST_CASE("a large value comes when it is read") {
  const Server server;
  const std::string large(500'000, 'x');
  const Message answer = server.make("echo")(large);
  CHECK(answer.content() == large);
}

TEST_CASE("a large value that is only passed on, or loses to another, does not come") {
  const Server server;
  const AgentRef echo = server.make("echo");
  const std::string large(100'000, 'x');
  const Message first = echo(large), second = echo(first), third = echo(second);
  const Message any = agentd::when_any({first, second});
  CHECK(third.content() == large);
  for (const Message& passed_on : {first, second, any}) {
    CHECK(passed_on.cell()->settled());
    CHECK_FALSE(passed_on.ready());
  }
  CHECK(any.content() == large);
  CHECK((first.ready() != second.ready()));
}

TEST_CASE("custom methods, observing and cloning work over the wire") {
  const Server server;
  const AgentRef notebook = server.make("Notebook", {{"name", "N"}});
  CHECK(notebook.observe("seen").content().is_null());
  CHECK(notebook("heard").content()["by"] == "N");
  const AgentRef copy = notebook.clone();
  CHECK(copy.id() != notebook.id());
  (void)copy("only there").content();
  CHECK(copy.call("notes").content() == Json{"seen", "heard", "only there"});
  CHECK(notebook.call("notes").content() == Json{"seen", "heard"});
}

TEST_CASE("a clone has what the calls made before it left") {
  const Server server;
  const AgentRef notebook = server.make("Notebook");
  for (int i = 0; i < 50; ++i) (void)notebook(i);
  const AgentRef copy = notebook.clone();
  (void)notebook("later");
  CHECK(copy.call("notes").content().size() == 50);
}

TEST_CASE("progress comes while the call runs") {
  const Server server;
  const AgentRef notebook = server.make("Notebook");
  std::mutex mutex;
  std::vector<Json> pieces;
  // The call cannot begin before its input is there, which is after its progress was asked for.
  Gate::open = false;
  const Message answer = notebook.call("count", agentd::make<Gate>()(5));
  answer.on_progress([&](const Json& piece) {
    const std::lock_guard lock(mutex);
    pieces.push_back(piece);
  });
  Gate::open = true;
  CHECK(answer.content() == 5);
  const std::lock_guard lock(mutex);
  CHECK(pieces == std::vector<Json>{1, 2, 3, 4, 5});
}

TEST_CASE("a cancelled call fails as cancelled, at once") {
  const Server server;
  const AgentRef slow = server.make("sleeper", {{"seconds", 100}});
  const Message answer = slow(1);
  CHECK_FALSE(answer.wait_for(50ms));
  answer.cancel();
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::cancelled);
}

TEST_CASE("a call fails at its deadline") {
  const Server server;
  const AgentRef slow = server.make("sleeper", {{"seconds", 100}});
  const Message one = slow.call("reply", 1, {.deadline = 50ms});
  REQUIRE(one.error());
  CHECK(one.error()->kind() == ErrorKind::deadline_exceeded);
  const Message two = slow.with({.deadline = 50ms})(2);
  REQUIRE(two.error());
  CHECK(two.error()->kind() == ErrorKind::deadline_exceeded);
}

TEST_CASE("a call may have the longest deadline that can be said") {
  const Server server;
  for (const AgentRef& agent : {server.make("sleeper", {{"seconds", 0.1}}), agentd::make<Gate>()}) {
    Gate::open = false;
    const Message answer = agent.call("reply", 1, {.deadline = std::chrono::milliseconds::max()});
    CHECK_FALSE(answer.wait_for(20ms));
    Gate::open = true;
    CHECK(answer.content() == 1);
  }
}

TEST_CASE("when_any is the first, then calls back, co_await waits") {
  const Server server;
  const AgentRef echo = server.make("echo");
  const AgentRef slow = server.make("sleeper", {{"seconds", 100}});
  const Message never = slow("never");
  CHECK(agentd::when_any({never, echo("first")}).content() == "first");
  std::promise<Json> called;
  echo("then").then([&](const Message& message) { called.set_value(message.content()); });
  CHECK(called.get_future().get() == "then");
  const auto flow = [](AgentRef agent) -> agentd::Task<Message> {
    const Message once = co_await agent("co");
    co_return co_await agent(Json(once.content().get<std::string>() + "_await"));
  };
  CHECK(agentd::sync_wait(flow(echo)).content() == "co_await");
  never.cancel();
}

TEST_CASE("calls can be made from callbacks") {
  const Server server;
  const AgentRef echo = server.make("echo");
  std::promise<Message> second;
  echo("one").then([&](const Message& one) { second.set_value(echo({one, "two"})); });
  CHECK(second.get_future().get().content() == Json{"one", "two"});
}

TEST_CASE("agents can be handed agents, and call them") {
  const Server first, second;
  const AgentRef echo = first.make("echo");
  CHECK(second.make("Relay", {{"to", echo}})("through").content() == "through");
  CHECK(second.make("AsyncRelay", {{"to", echo}})("through").content() == "through");
  const AgentRef chain = first.make("Relay", {{"to", second.make("AsyncRelay", {{"to", echo}})}});
  CHECK(chain("twice").content() == "twice");
}

TEST_CASE("a server serves calls of its own program to agents of its own program") {
  const Server server;
  const AgentRef slow = server.make("sleeper", {{"seconds", 0.01}});
  std::vector<Message> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(server.make("Relay", {{"to", slow}})(i));
  for (int i = 0; i < 20; ++i) CHECK(answers[i].content() == i);
}

TEST_CASE("many threads may call at once") {
  const Server server;
  const AgentRef echo = server.make("echo");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        if (echo(Json{t, i}).content() != Json{t, i}) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a method without a name is refused, wherever the agent is") {
  const Server server;
  for (const AgentRef& agent :
       {agentd::make<Mirror>(), server.make("Mirror"), agentd::make<Mirror>().to_dist()}) {
    const Message answer = agent.call("");
    REQUIRE(answer.error());
    CHECK(answer.error()->kind() == ErrorKind::invalid_params);
    CHECK(answer.error()->agent() == agent.id());
    CHECK(answer.error()->node() == agent.address().node.text());
    CHECK_FALSE(answer.error()->call().empty());
  }
}

TEST_CASE("attach asks nobody, and a call to an agent that is not there fails") {
  const Server server;
  const Message answer = agentd::attach("nobody", server.at())(1);
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::agent_not_found);
  CHECK_THROWS_AS(agentd::attach("no such id!", server.at()), Error);
}

TEST_CASE("what nobody can ask for any more is released over there") {
  const Server server;
  const AgentRef echo = server.make("echo");
  std::optional<agentd::Placeholder> placeholder;
  {
    const Message answer = echo("short-lived");
    (void)answer.content();
    placeholder = answer.placeholder();
  }
  REQUIRE(placeholder);
  auto& session = agentd::sdk::Session::instance();
  const std::string params = Json{{"call", placeholder->call.text()}}.dump();
  CHECK(becomes_true([&] {
    const auto known = session.ask(session.node(placeholder->node), "call.get", params);
    return known.has_error() && known.error().kind() == ErrorKind::call_not_found;
  }));
}
