#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/integration/sdk/agents.hpp"
#include "tests/integration/support/process.hpp"

using agentd::AgentServer;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using namespace std::chrono_literals;

namespace {

ErrorKind refusal(agentd::AgentServerConfig config) {
  AgentServer server{std::move(config)};
  try {
    server.launch();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("it was launched");
  return ErrorKind::internal;
}

}  // namespace

TEST_CASE("a server has the agent that it was asked for from the start, and its real port") {
  AgentServer server{
      {.type = "Notebook", .args = {{"name", "N"}}, .id = "notes", .host = "127.0.0.1", .port = 0}};
  server.launch();
  CHECK(server.port() != 0);
  CHECK(server.agent() == agentd::AgentAddress{{"127.0.0.1", server.port()}, "notes"});
  CHECK(server.address().port == server.port());
  CHECK(agentd::attach("notes", {.port = server.port()})("x").content()["by"] == "N");
}

TEST_CASE("a server hosts every type of its program") {
  const Server server;
  CHECK(server.make("Notebook")("x").content()["n"] == 1);
  CHECK(server.make("failing")("no").error()->message() == "no");
  CHECK(server.make("transcript", {{"name", "T"}})("x").content()["by"] == "T");
}

TEST_CASE("shutdown ends a server, for whoever waits for that too") {
  AgentServer server{{.port = 0}};
  server.launch();
  auto waiting = std::async(std::launch::async, [&] { server.wait_until_terminate(); });
  const auto sleepy = agentd::remote("sleeper", {.port = server.port()}, {{"seconds", 100}});
  const auto lost = sleepy(1);
  CHECK_FALSE(lost.wait_for(20ms));
  server.shutdown(10ms);
  waiting.get();
  REQUIRE(lost.error());
  CHECK(lost.error()->kind() == ErrorKind::shutting_down);
}

TEST_CASE("a server that cannot be as it was asked for is not launched, and says why") {
  const Server other;
  CHECK(refusal({.type = "Notbook", .port = 0}) == ErrorKind::type_not_found);
  CHECK(refusal({.type = "Stillborn", .port = 0}) == ErrorKind::invalid_params);
  CHECK(refusal({.host = "0.0.0.0", .port = 0}) == ErrorKind::invalid_params);
  AgentServer taken{{.port = other.at().port}};
  CHECK_THROWS_WITH(taken.launch(), Catch::Contains(std::to_string(other.at().port)));
  AgentServer once{{.port = 0}};
  once.launch();
  CHECK_THROWS_AS(once.launch(), std::logic_error);
}
