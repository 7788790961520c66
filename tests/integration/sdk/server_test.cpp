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

TEST_CASE("a server may be advertised and have peers by name, by address and by block") {
  AgentServer server{{.port = 0,
                      .advertise = "[::1]:7000",
                      .peers = {"node_1.example", "10.0.0.0/8:12001", "[fd00::1]:80", "::1", "fd00::/8"}}};
  server.launch();
  CHECK(server.address() == agentd::NodeAddress{"::1", 7000});
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

TEST_CASE("before it is launched a server has no end, no port and nothing to shut down") {
  AgentServer server{{.port = 0}};
  server.shutdown();
  CHECK_THROWS_AS(server.wait_until_terminate(), std::logic_error);
  CHECK_THROWS_AS(server.port(), std::logic_error);
  CHECK_THROWS_AS(server.address(), std::logic_error);
  server.launch();
  CHECK(server.port() != 0);
}

TEST_CASE("a server that could not be launched ends at once") {
  const Server other;
  AgentServer taken{{.port = other.at().port}};
  CHECK_THROWS_AS(taken.launch(), Error);
  taken.shutdown();
  CHECK_THROWS_AS(taken.wait_until_terminate(), std::logic_error);
}

TEST_CASE("several threads may wait for the end of a server") {
  AgentServer server{{.port = 0}};
  server.launch();
  std::vector<std::future<void>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(std::async(std::launch::async, [&] { server.wait_until_terminate(); }));
  }
  CHECK(waiting[0].wait_for(50ms) == std::future_status::timeout);
  server.shutdown(0ms);
  for (auto& one : waiting) CHECK_NOTHROW(one.get());
}

TEST_CASE("who comes to wait for a server's end while another one leaves may wait too") {
  AgentServer server{{.port = 0}};
  server.launch();
  server.shutdown(0ms);
  std::vector<std::future<void>> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(std::async(std::launch::async, [&] {
      for (int round = 0; round < 100; ++round) server.wait_until_terminate();
    }));
  }
  for (auto& one : waiting) CHECK_NOTHROW(one.get());
}

TEST_CASE("a server that cannot be as it was asked for is not launched, and says why") {
  const Server other;
  CHECK(refusal({.type = "Notbook", .port = 0}) == ErrorKind::type_not_found);
  CHECK(refusal({.type = "Stillborn", .port = 0}) == ErrorKind::invalid_params);
  CHECK(refusal({.host = "0.0.0.0", .port = 0}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .advertise = "host:99999"}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .advertise = "a b"}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .peers = {""}}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .peers = {"host:99999"}}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .peers = {"10.0.0.0/99"}}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .token = "short"}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .token = std::string(4097, 'x')}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = 0, .token = "0123456789abcdef\n"}) == ErrorKind::invalid_params);
  CHECK(refusal({.type = "Notebook", .args = {{"name", "\xff"}}, .port = 0}) == ErrorKind::invalid_params);
  CHECK(refusal({.port = other.at().port}) == ErrorKind::conflict);
  AgentServer taken{{.port = other.at().port}};
  CHECK_THROWS_WITH(taken.launch(), Catch::Contains(std::to_string(other.at().port)));
  AgentServer once{{.port = 0}};
  once.launch();
  CHECK_THROWS_AS(once.launch(), std::logic_error);
}
