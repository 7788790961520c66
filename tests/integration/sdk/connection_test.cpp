#include <future>

#include <catch2/catch.hpp>

#include "sdk/src/session.hpp"
#include "tests/integration/sdk/agents.hpp"
#include "tests/integration/support/line.hpp"

using agentd::AgentRef;
using agentd::Json;
using agentd::Message;
using agentd::sdk::Session;

namespace {

/// Payload that this program and that node have sent each other.
std::uint64_t bytes_with(const agentd::At& at) {
  std::promise<std::uint64_t> bytes;
  Session::instance().post([&] {
    Session& session = Session::instance();
    const auto& link = session.link(session.node({at.host, at.port}));
    bytes.set_value(link.bytes_sent() + link.bytes_received());
  });
  return bytes.get_future().get();
}

}  // namespace

TEST_CASE("what was not settled when the connection broke is sent again, runs once, and in order") {
  Line line;
  agentd::AgentServer server{{.port = 0, .advertise = "127.0.0.1:" + std::to_string(line.port())}};
  server.launch();
  line.leads_to(server.port());
  const AgentRef notebook = agentd::remote("Notebook", {.port = line.port()});
  std::vector<Message> answers;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 100; ++i) answers.push_back(notebook(answers.size()));
    // Some have been answered by now, some are under way, some have not left.
    answers[answers.size() - 60].wait();
    line.cut();
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    REQUIRE(answers[i].content()["n"] == i + 1);
    REQUIRE(answers[i].content()["heard"] == i);
  }
  CHECK(notebook.call("notes").content().size() == answers.size());
  CHECK(line.connections() > 1);
}

TEST_CASE("a token that was refused is followed by the one that is set after it") {
  const std::string token = "0123456789abcdef";
  agentd::AgentServer server{{.type = "echo", .id = "guarded", .port = 0, .token = token}};
  server.launch();
  const agentd::At there{.port = server.port()};
  const AgentRef guarded = agentd::attach("guarded", there);
  for (const char* wrong : {"", "fedcba9876543210"}) {
    agentd::set_token(there, wrong);
    const Message refused = guarded("x");
    REQUIRE(refused.error());
    CHECK(refused.error()->kind() == agentd::ErrorKind::peer_refused);
  }
  agentd::set_token(there, token);
  CHECK(guarded("x").content() == "x");
}

TEST_CASE("what is no token is refused when it is set") {
  for (const std::string& wrong :
       {std::string("a\r\nX-More: yes"), std::string("a b"), std::string(4097, 'x')}) {
    CHECK_THROWS_AS(agentd::set_token({}, wrong), agentd::Error);
  }
  CHECK_THROWS_AS(agentd::set_token({.host = ""}, "x"), agentd::Error);
}

TEST_CASE("the program never relays a value that it does not read") {
  constexpr int size = 200 * 1024;
  const Server first, second;
  const AgentRef inflater = first.make("Inflater"), here = first.make("echo");
  const AgentRef there = second.make("echo"), measure = second.make("Inflater");
  const std::uint64_t before = bytes_with(first.at()) + bytes_with(second.at());
  const Message large = there(here(there(inflater(size))));
  // In content and in a join it goes by reference too.
  CHECK(measure.call("measure", there({large, Message::inputs({large, 1})})).content() > 2 * size);
  CHECK(measure.call("measure", large).content() == size + 2);
  CHECK(bytes_with(first.at()) + bytes_with(second.at()) - before < 10'000);
  // It is there for who reads it.
  CHECK(large.content().get<std::string>() == std::string(size, 'x'));
  CHECK(bytes_with(second.at()) > size);
}
