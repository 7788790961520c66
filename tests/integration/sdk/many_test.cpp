#include <set>

#include <catch2/catch.hpp>

#include "tests/integration/sdk/agents.hpp"

using agentd::AgentRange;
using agentd::AgentRef;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Message;

namespace {

AgentRange many(const Server& server, const std::string& type, std::size_t count,
                const std::string& prefix = {}, const agentd::Json& args = agentd::Json::object()) {
  return agentd::remote_many(type, count, {.port = server.at().port, .prefix = prefix}, args);
}

ErrorKind refusal(const Server& server, const std::string& type, std::size_t count,
                  const std::string& prefix) {
  try {
    (void)many(server, type, count, prefix);
  } catch (const Error& error) {
    CHECK(error.node() == server.server.address().text());
    return error.kind();
  }
  FAIL("they were made");
  return ErrorKind::internal;
}

}  // namespace

TEST_CASE("many agents are made with one call, each of its own") {
  const Server server;
  const AgentRange notebooks = many(server, "Notebook", 20, "book", {{"name", "N"}});
  REQUIRE(notebooks.size() == 20);
  CHECK(notebooks.prefix() == "book");
  CHECK(notebooks[3].address() == agentd::AgentAddress{server.server.address(), "book-3"});
  std::vector<Message> answers;
  for (const AgentRef& notebook : notebooks) answers.push_back(notebook("x"));
  for (const Message& answer : answers) CHECK(answer.content()["n"] == 1);
  CHECK(notebooks[0]("y").content()["n"] == 2);
  CHECK(agentd::attach("book-19", server.at())("y").content()["n"] == 2);
}

TEST_CASE("many agents without a prefix get one that nobody else has") {
  const Server server;
  const AgentRange some = many(server, "echo", 3);
  const AgentRange others = many(server, "echo", 3);
  CHECK(some.prefix() != others.prefix());
  CHECK(some.prefix().starts_with("echo-"));
  CHECK(others[2]("x").content() == "x");
}

TEST_CASE("the same many agents may be asked for again") {
  const Server server;
  many(server, "Notebook", 5, "book")[4]("x").wait();
  CHECK(many(server, "Notebook", 5, "book")[4]("x").content()["n"] == 2);
}

TEST_CASE("calls to one agent of many keep their order, though each is made with a proxy of its own") {
  const Server server;
  const AgentRange notebooks = many(server, "Notebook", 2);
  std::vector<Message> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(notebooks[1](i));
  for (int i = 0; i < 50; ++i) CHECK(answers[i].content()["heard"] == i);
}

TEST_CASE("calls made faster than they leave all leave, in order") {
  const Server server;
  const auto counter = server.make("counter");
  std::vector<Message> answers;
  for (int i = 0; i < 8000; ++i) answers.push_back(counter(1));
  for (int i = 0; i < 8000; ++i) REQUIRE(answers[i].content() == i + 1);
}

TEST_CASE("what the node refuses of many agents is thrown") {
  const Server server;
  CHECK(refusal(server, "no-such-type", 2, "a") == ErrorKind::type_not_found);
  CHECK(refusal(server, "echo", 0, "a") == ErrorKind::invalid_params);
  CHECK(refusal(server, "echo", 2, "not an id") == ErrorKind::invalid_params);
  CHECK(refusal(server, "echo", 9'000'000, "a") == ErrorKind::overloaded);
  (void)many(server, "counter", 1, "taken");
  CHECK(refusal(server, "echo", 2, "taken") == ErrorKind::conflict);
  CHECK_THROWS_AS(agentd::remote_many("echo", 2, {.port = 0}), Error);
}

TEST_CASE("many agents are deleted together, those that are gone already too") {
  const Server server;
  const AgentRange agents = many(server, "echo", 10'000);
  CHECK(agents[9'999]("x").content() == "x");
  delete_agents(agents);
  for (const std::size_t i : {0, 4'095, 4'096, 9'999}) {
    CHECK(agents[i]("x").error()->kind() == ErrorKind::agent_not_found);
  }
  CHECK_NOTHROW(delete_agents(agents));
  CHECK_NOTHROW(delete_agents(AgentRange()));
}

TEST_CASE("a range has as many agents as were made") {
  const AgentRange range({"127.0.0.1", 1}, "a", 3);
  std::set<std::string> ids;
  for (const AgentRef& agent : range) ids.insert(agent.id());
  CHECK(ids == std::set<std::string>{"a-0", "a-1", "a-2"});
  CHECK_THROWS_AS(range[3], std::out_of_range);
  CHECK(AgentRange().empty());
  CHECK(AgentRange().begin() == AgentRange().end());
}
