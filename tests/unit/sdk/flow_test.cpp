#include <agentd/flow.hpp>

#include <catch2/catch.hpp>

#include "tests/unit/sdk/fake_agent.hpp"

using agentd::AgentRef;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using agentd::Step;

namespace {

Step adding(int n) {
  return [n](const Message& x) { return Message(x.content().get<int>() + n); };
}

std::string text(const Message& message) { return message.content().get<std::string>(); }

}  // namespace

TEST_CASE("sequential hands on what each step answers") {
  CHECK(agentd::sequential({adding(1), adding(10)}, 5).content() == 16);
  CHECK(agentd::sequential(std::vector<Step>{}, 5).content() == 5);
}

TEST_CASE("sequential takes agents as steps") {
  auto [agent, ref] = FakeAgent::make("a", [](const Message& x) { return Message("a:" + text(x)); });
  CHECK(agentd::sequential({ref, ref}, "x").content() == "a:a:x");
  CHECK(agentd::sequential(std::vector<AgentRef>{ref}, "x").content() == "a:x");
}

TEST_CASE("fan_out gives every step the same message, and keeps their order") {
  const auto answers = agentd::fan_out({adding(1), adding(2), adding(3)}, 10);
  CHECK(Message::inputs(answers).content() == Json{11, 12, 13});
}

TEST_CASE("if_else takes the step that the condition asks for, or none") {
  const auto small = [](const Message& x) { return x.content() < 10; };
  CHECK(agentd::if_else(5, small, adding(1), adding(2)).content() == 6);
  CHECK(agentd::if_else(50, small, adding(1), adding(2)).content() == 52);
  CHECK(agentd::if_else(50, small, adding(1)).content() == 50);
}

TEST_CASE("switch_on takes the step of the case, the other one, or none") {
  const std::map<std::string, Step> cases{{"one", adding(1)}, {"two", adding(2)}};
  const auto by = [](const char* name) { return [name](const Message&) { return std::string(name); }; };
  CHECK(agentd::switch_on(0, by("two"), cases).content() == 2);
  CHECK(agentd::switch_on(0, by("ten"), cases, adding(10)).content() == 10);
  CHECK(agentd::switch_on(0, by("ten"), cases).content() == 0);
}

TEST_CASE("for_loop runs so many rounds, or until it is told to stop") {
  CHECK(agentd::for_loop(0, 4, adding(1)).content() == 4);
  CHECK(agentd::for_loop(0, 0, adding(1)).content() == 0);
  CHECK(agentd::for_loop(0, 100, adding(1), [](const Message& x) { return x.content() == 7; }).content() ==
        7);
}

TEST_CASE("while_loop asks before each round") {
  const auto below = [](int limit) { return [limit](const Message& x) { return x.content() < limit; }; };
  CHECK(agentd::while_loop(0, below(3), adding(1)).content() == 3);
  CHECK(agentd::while_loop(9, below(3), adding(1)).content() == 9);
}

TEST_CASE("what one participant of a hub says, the others observe") {
  auto [alice, a] = FakeAgent::make("alice", [](const Message&) { return Message("hello"); });
  auto [bob, b] = FakeAgent::make("bob", [](const Message&) { return Message("hi"); });
  auto [carol, c] = FakeAgent::make("carol", [](const Message&) { return Message("hey"); });
  agentd::MsgHub hub({a, b}, "welcome");
  CHECK(hub.say(a, "begin").content() == "hello");
  hub.add(c);
  hub.add(c);
  hub.say(b);
  hub.remove(a);
  hub.say(c);
  using Asked = std::vector<std::pair<std::string, std::string>>;
  CHECK(alice->asked == Asked{{"observe", "\"welcome\""}, {"reply", "\"begin\""}, {"observe", "\"hi\""}});
  CHECK(bob->asked == Asked{{"observe", "\"welcome\""},
                            {"observe", "\"hello\""},
                            {"reply", "nothing"},
                            {"observe", "\"hey\""}});
  CHECK(carol->asked == Asked{{"observe", "\"hi\""}, {"reply", "nothing"}});
  CHECK(hub.participants().size() == 2);
}
