#include <csignal>
#include <functional>

#include <sys/wait.h>
#include <catch2/catch.hpp>

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

std::uint16_t port_of(OtherProcess& server) { return static_cast<std::uint16_t>(std::stoi(server.line())); }

}  // namespace

TEST_CASE("an error says who failed, and why, down to the first cause") {
  const Server first, second;
  const AgentRef failing = first.make("failing");
  const AgentRef echo = second.make("echo");
  const Message answer = echo(echo(failing("no tide today")));
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::input_failed);
  CHECK(answer.error()->agent() == echo.id());
  CHECK(answer.error()->cause()->kind() == ErrorKind::input_failed);
  const Error& root = answer.error()->root();
  CHECK(root.kind() == ErrorKind::agent_failed);
  CHECK(root.code() == -32016);
  CHECK_FALSE(root.call().empty());
  CHECK(root.message() == "no tide today");
  CHECK(root.agent() == failing.id());
  CHECK(root.node() == "127.0.0.1:" + std::to_string(first.at().port));
  CHECK_THROWS_AS(answer.content(), Error);
}

TEST_CASE("an unknown type, a bad argument and a method that is not there say so") {
  const Server server;
  const auto kind = [](auto make) {
    try {
      make();
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  CHECK(kind([&] { (void)server.make("ecko"); }) == ErrorKind::type_not_found);
  CHECK(kind([&] { (void)server.make("sleeper", {{"second", 1}}); }) == ErrorKind::invalid_params);
  CHECK(kind([&] { (void)server.make("Stillborn"); }) == ErrorKind::invalid_params);
  const Message answer = server.make("echo").call("sing", 1);
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::invalid_params);
}

TEST_CASE("what is thrown at once says which agent and which node it is about") {
  const Server server;
  const std::string node = "127.0.0.1:" + std::to_string(server.at().port);
  const AgentRef echo = server.make("echo");
  const AgentRef notebook = agentd::make<Notebook>();
  agentd::DistOptions taken = server.here();
  taken.id = echo.id();
  const agentd::RemoteOptions again{.port = server.at().port, .id = echo.id()};
  const std::vector<std::function<void()>> mistakes{[&] { (void)agentd::remote("Notebook", again); },
                                                    [&] { (void)notebook.to_dist(taken); },
                                                    [&] { (void)echo.to_dist(); }};
  for (const auto& mistake : mistakes) {
    try {
      mistake();
      FAIL("nothing was thrown");
    } catch (const Error& error) {
      CHECK(error.agent() == echo.id());
      CHECK(error.node() == node);
    }
  }
  try {
    (void)agentd::attach("nobody", server.at()).clone();
    FAIL("it was cloned");
  } catch (const Error& error) {
    CHECK(error.agent() == "nobody");
    CHECK(error.node() == node);
  }
}

TEST_CASE("a cycle of agents fails") {
  const Server server;
  const AgentRef first = agentd::attach("first-relay", server.at());
  const AgentRef second =
      agentd::remote("Relay", {.port = server.at().port, .id = "second-relay"}, {{"to", first}});
  const AgentRef made =
      agentd::remote("Relay", {.port = server.at().port, .id = "first-relay"}, {{"to", second}});
  const Message answer = made(1);
  REQUIRE(answer.error());
  CHECK(answer.error()->root().kind() == ErrorKind::cycle);
}

TEST_CASE("a call to where nobody listens fails by its deadline, naming the node and the reason") {
  const std::uint16_t port = free_port();
  const Message answer = agentd::attach("a", {.port = port}).call("reply", 1, {.deadline = 300ms});
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::peer_unreachable);
  CHECK(answer.error()->message().find(std::to_string(port)) != std::string::npos);
  CHECK(answer.error()->message().find("refused") != std::string::npos);
}

TEST_CASE("a call made before its server is there reaches it") {
  const std::uint16_t port = free_port();
  const Message early = agentd::attach("early", {.port = port}).call("reply", 7, {.deadline = 20s});
  CHECK_FALSE(early.wait_for(100ms));
  agentd::AgentServer server{{.type = "echo", .id = "early", .port = port}};
  server.launch();
  const Error* error = early.error();
  // The agent is made just after the port is open, so the call may come too early for it.
  CHECK((!error || error->kind() == ErrorKind::agent_not_found));
}

TEST_CASE("calls that a restarted server has forgotten fail, and the next ones reach it") {
  auto server = std::make_unique<OtherProcess>(std::vector<std::string>{"--serve", "0"});
  const std::uint16_t port = port_of(*server);
  const agentd::RemoteOptions there{.port = port, .id = "sleepy"};
  const AgentRef slow = agentd::remote("sleeper", there, {{"seconds", 100}});
  const Message lost = slow(1);
  const Message queued = slow(2);
  CHECK_FALSE(lost.wait_for(50ms));
  server->kill();
  // What is sent before the loss is known may have run; what is sent after it has not.
  REQUIRE(becomes_true([&] {
    const Message probe = agentd::attach("fresh", {.port = port}).call("reply", 1, {.deadline = 50ms});
    return probe.error()->kind() == ErrorKind::peer_unreachable;
  }));
  const Message during = agentd::attach("fresh", {.port = port}).call("reply", 1, {.deadline = 20s});
  server = std::make_unique<OtherProcess>(std::vector<std::string>{"--serve", std::to_string(port)});
  REQUIRE(port_of(*server) == port);
  REQUIRE(lost.error());
  CHECK(lost.error()->kind() == ErrorKind::outcome_unknown);
  CHECK_FALSE(lost.error()->retryable());
  REQUIRE(queued.error());
  CHECK(queued.error()->kind() == ErrorKind::outcome_unknown);
  REQUIRE(during.error());
  CHECK(during.error()->kind() == ErrorKind::agent_not_found);
  CHECK(agentd::remote("echo", {.port = port})("again").content() == "again");
}

TEST_CASE("a server ends on SIGTERM, and its program goes on") {
  OtherProcess server({"--serve", "0"});
  const std::uint16_t port = port_of(server);
  CHECK(agentd::remote("echo", {.port = port})(1).content() == 1);
  // It says its port before it waits for its end.
  REQUIRE(becomes_true([&] { return catches(server.pid(), SIGTERM); }));
  kill(server.pid(), SIGTERM);
  CHECK(server.line() == "ended");
  const int status = server.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a program may end with calls in flight, and they run") {
  const Server server;
  const AgentRef notebook = server.make("Notebook");
  OtherProcess caller({"--call-and-end", std::to_string(server.at().port), notebook.id()});
  const int status = caller.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(becomes_true([&] { return notebook.call("notes").content().size() == 100; }));
}

TEST_CASE("a program may call when its statics are destroyed") {
  const Server server;
  const AgentRef notebook = server.make("Notebook");
  OtherProcess caller({"--call-at-the-end", std::to_string(server.at().port), notebook.id()});
  const int status = caller.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(becomes_true([&] {
    return notebook.call("notes").content() == Json{std::string(500, 'a'), "last"};
  }));
}

TEST_CASE("calls to local agents fail when the program ends, and call nobody back") {
  OtherProcess caller({"--call-local-at-the-end"});
  CHECK(caller.line() == "before: shutting_down");
  CHECK(caller.line() == "after: shutting_down");
  const int status = caller.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("what a program called before it ended can be read by the call's id") {
  const Server server;
  OtherProcess caller({"--call-slow-and-end", std::to_string(server.at().port)});
  const std::string call = caller.line();
  CHECK(WIFEXITED(caller.wait()));
  auto& session = agentd::sdk::Session::instance();
  const auto answer = session.ask(session.node({"127.0.0.1", server.at().port}), "call.get",
                                  Json{{"call", call}, {"wait_ms", 10'000}}.dump());
  REQUIRE(answer.has_value());
  CHECK(Json::parse(*answer)["value"]["content"] == "late");
}

TEST_CASE("a program that called where nobody listens ends all the same") {
  OtherProcess caller({"--call-nobody", std::to_string(free_port())});
  CHECK(WIFEXITED(caller.wait()));
}

TEST_CASE("more calls than the mailbox holds are refused, and can be tried again") {
  const Server server;
  const AgentRef slow =
      agentd::remote("sleeper", {.port = server.at().port, .options = {{"mailbox", 2}}}, {{"seconds", 0.3}});
  std::vector<Message> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(slow(i));
  int refused = 0;
  for (const Message& answer : answers) {
    if (const Error* error = answer.error()) {
      CHECK(error->kind() == ErrorKind::overloaded);
      CHECK(error->retryable());
      ++refused;
    }
  }
  CHECK(refused > 0);
  answers.clear();
  CHECK(becomes_true([&] { return slow("again").error() == nullptr; }));
}
