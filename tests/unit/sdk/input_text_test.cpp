#include "sdk/src/input_text.hpp"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "common/protocol/call_frame.hpp"
#include "common/protocol/envelope.hpp"

using agentd::CallId;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using agentd::Placeholder;
using agentd::detail::Cell;
using agentd::sdk::PartState;
using agentd::sdk::SessionNode;

namespace {

class At : public agentd::detail::CellSource {
public:
  explicit At(Placeholder placeholder) : placeholder_(std::move(placeholder)) {}
  std::optional<Placeholder> placeholder() const override { return placeholder_; }

private:
  Placeholder placeholder_;
};

Message pending() { return Message(std::make_shared<Cell>()); }

Message answer_at(const std::string& host, const CallId& call = CallId::mint()) {
  return Message(std::make_shared<Cell>(std::make_unique<At>(Placeholder{{host, 12001}, call})));
}

SessionNode node(const std::string& host) { return {{host, 12001}, agentd::sdk::is_loopback(host), nullptr}; }

std::string written(const Message& input, const SessionNode& target) {
  std::string text;
  agentd::sdk::append_input(text, input, target);
  return text;
}

Json placeholder_json(const std::string& host, const CallId& call) {
  return {{"$placeholder", {{"host", host}, {"port", 12001}, {"call", call.text()}}}};
}

}  // namespace

TEST_CASE("no input is no text, a value is a message") {
  CHECK(written({}, node("10.0.0.2")).empty());
  CHECK(Json::parse(written("tide", node("10.0.0.2"))) == Json{{"content", "tide"}});
}

TEST_CASE("a value stands in the form that a node reads quickest") {
  for (const Message& value : {Message("tide"), Message(Json{{"a", 1.5}})}) {
    agentd::protocol::OutgoingCall call;
    call.agent = "a";
    const CallId id = CallId::mint();
    call.call = id.text();
    call.settled = agentd::protocol::SettledMode::automatic;
    const std::string input = written(value, node("10.0.0.2"));
    call.input = input;
    std::string frame;
    std::string params;
    agentd::protocol::append_call_params(params, call);
    agentd::protocol::append_notification(frame, "agent.call", params);
    agentd::protocol::CallFrame quick;
    REQUIRE(quick.read(frame));
    CHECK(std::get<agentd::protocol::CallNotice>(quick.notices().front()).message.has_value());
  }
}

TEST_CASE("a number's text reaches the node as it is") {
  const Message big(std::make_shared<Cell>(
      agentd::detail::MessageData{agentd::detail::SharedText("123456789012345678901234567890"), {}, {}}));
  CHECK(written(big, node("10.0.0.2")) == R"({"content":123456789012345678901234567890})");
}

TEST_CASE("an answer that the node can ask for is sent by reference") {
  const CallId call = CallId::mint();
  const auto target = node("10.0.0.2");
  CHECK(Json::parse(written(answer_at("10.0.0.3", call), target)) == placeholder_json("10.0.0.3", call));
  CHECK(part_state(*answer_at("10.0.0.3").cell(), target) == PartState::reference);
}

TEST_CASE("an answer on loopback is a reference for loopback only") {
  CHECK(part_state(*answer_at("127.0.0.1").cell(), node("localhost")) == PartState::reference);
  CHECK(part_state(*answer_at("127.0.0.1").cell(), node("10.0.0.2")) == PartState::waits_for_value);
}

TEST_CASE("a message without an address has to be waited for, until it has a value") {
  const Message message = pending();
  const auto target = node("10.0.0.2");
  CHECK(part_state(*message.cell(), target) == PartState::waits_for_value);
  message.cell()->settle({agentd::detail::SharedText("1"), {}, {}});
  CHECK(part_state(*message.cell(), target) == PartState::value);
}

TEST_CASE("an answer that failed is a failure, wherever it is") {
  const Message message = answer_at("10.0.0.3");
  message.cell()->fail(Error(ErrorKind::agent_failed, "no"));
  CHECK(part_state(*message.cell(), node("10.0.0.2")) == PartState::failed);
}

TEST_CASE("what fails on another thread while it is looked at is never taken for a value") {
  const SessionNode target = node("10.0.0.2");
  std::vector<Message> messages(20'000);
  for (Message& message : messages) message = pending();
  std::thread failing([&] {
    for (const Message& message : messages) message.cell()->fail(Error(ErrorKind::agent_failed, "no"));
  });
  std::size_t taken_for_values = 0;
  for (const Message& message : messages) {
    PartState state = PartState::waits_for_value;
    while (state == PartState::waits_for_value) state = part_state(*message.cell(), target);
    if (state != PartState::failed) ++taken_for_values;
  }
  failing.join();
  CHECK(taken_for_values == 0);
}

TEST_CASE("a join is an array, and one inside it is content") {
  const CallId call = CallId::mint();
  const auto target = node("10.0.0.2");
  const Message inner = Message::inputs({2, answer_at("10.0.0.3", call)});
  const Json text = Json::parse(written(Message::inputs({1, inner, Message()}), target));
  CHECK(text == Json::array({{{"content", 1}},
                             {{"content", Json::array({2, placeholder_json("10.0.0.3", call)})}},
                             {{"content", nullptr}}}));
}

TEST_CASE("a content that looks like a placeholder is sent as what it is") {
  const Json looks = placeholder_json("10.0.0.3", CallId::mint());
  CHECK(Json::parse(written(looks, node("10.0.0.2"))) == Json{{"content", {{"$literal", looks}}}});
  CHECK(Json::parse(written(Message::inputs({Message::inputs({looks})}), node("10.0.0.2"))) ==
        Json::array({{{"content", Json::array({{{"$literal", looks}}})}}}));
}

TEST_CASE("plain inputs are those whose values are all here") {
  CHECK(agentd::sdk::is_plain({}));
  CHECK(agentd::sdk::is_plain(Message::inputs({1, "two", Message::inputs({3})})));
  CHECK_FALSE(agentd::sdk::is_plain(Message::inputs({1, pending()})));
  CHECK_FALSE(agentd::sdk::is_plain(answer_at("10.0.0.3")));
}

TEST_CASE("loopback has several names") {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"})
    CHECK(agentd::sdk::is_loopback(host));
  for (const char* host : {"10.0.0.2", "example.org", "0.0.0.0"}) CHECK_FALSE(agentd::sdk::is_loopback(host));
}
