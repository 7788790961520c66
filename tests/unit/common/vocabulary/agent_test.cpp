#include <agentd/agent.hpp>

#include <catch2/catch.hpp>

#include "common/vocabulary/context.hpp"
#include "common/vocabulary/target.hpp"

using agentd::AgentRef;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;

namespace {

class Plain : public agentd::Agent {
public:
  Message reply(const Message& input) override { return input; }
};

class Described : public agentd::Agent {
public:
  explicit Described(const Json& args) : start(args.value("start", 0)) {}
  agentd::Task<Message> reply_async(Message input) override { co_return input; }
  Message twice(const Message& input) { return input.content().get<int>() * 2; }
  static void describe(agentd::TypeOf<Described>& type) {
    type.description("Doubles").method("twice", &Described::twice).idempotent();
  }
  int start;
};

/// Answers with the deadline that it is called with; its copies do too, wherever they are.
class Hurried : public agentd::detail::Target {
public:
  const agentd::AgentAddress& address() const override { return address_; }
  Message call(std::string_view, const Message&, const agentd::CallOptions& options) override {
    return options.deadline ? Json(options.deadline->count()) : Json("none");
  }
  AgentRef clone() override { return AgentRef(std::make_shared<Hurried>()); }
  AgentRef to_dist(const agentd::DistOptions&) override { return clone(); }

private:
  agentd::AgentAddress address_{{}, "hurried"};
};

Json reference(Json host, Json port, Json agent) {
  return {{"$agent", {{"host", std::move(host)}, {"port", std::move(port)}, {"agent", std::move(agent)}}}};
}

std::string refusal(const Json& json) {
  try {
    (void)json.get<AgentRef>();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_params);
    return error.message();
  }
  return "(none)";
}

}  // namespace

TEST_CASE("a type has reply and observe, runs reply on a worker, and needs no constructor with args") {
  const agentd::AgentType type = agentd::agent_type<Plain>("plain");
  CHECK(type.name == "plain");
  CHECK(type.execution == agentd::Execution::worker);
  CHECK_FALSE(type.idempotent);
  const auto agent = type.make(Json::object());
  const auto& reply = std::get<agentd::AgentType::Method>(type.methods.at("reply"));
  CHECK(reply(*agent, 7).content() == 7);
  const auto& observe = std::get<agentd::AgentType::Method>(type.methods.at("observe"));
  CHECK(observe(*agent, 7).content().is_null());
}

TEST_CASE("a type with a coroutine runs on the loop, and adds what it describes") {
  const agentd::AgentType type = agentd::agent_type<Described>("described");
  CHECK(type.execution == agentd::Execution::loop);
  CHECK(type.idempotent);
  CHECK(type.description == "Doubles");
  const auto agent = type.make({{"start", 5}});
  CHECK(static_cast<Described&>(*agent).start == 5);
  const auto& twice = std::get<agentd::AgentType::Method>(type.methods.at("twice"));
  CHECK(twice(*agent, 21).content() == 42);
}

TEST_CASE("an agent that overrides no method says so when it is called") {
  agentd::Agent agent;
  CHECK_THROWS_AS(agent.reply({}), std::logic_error);
}

TEST_CASE("an agent reference reads what it writes") {
  const Json json = reference("10.0.0.2", 12001, "b");
  const auto agent = json.get<AgentRef>();
  CHECK(agent.address().text() == "10.0.0.2:12001/b");
  CHECK(agent.id() == "b");
  CHECK(Json(agent) == json);
  CHECK(static_cast<bool>(agent));
}

TEST_CASE("an agent reference's host is the same in either case") {
  CHECK(reference("Node-A.Example", 1, "B").get<AgentRef>().address().text() == "node-a.example:1/B");
}

TEST_CASE("what is no agent reference is refused, and shown") {
  CHECK(refusal("b").find("not \"b\"") != std::string::npos);
  CHECK(refusal(reference("h", "1", "b")) != "(none)");
  CHECK(refusal(reference("h", 1, 2)) != "(none)");
  CHECK(refusal({{"$agent", {{"host", "h"}, {"port", 1}}}}) != "(none)");
}

TEST_CASE("an agent reference's port is a port, and never another number cut to fit") {
  CHECK(refusal(reference("h", 65536, "b")) != "(none)");
  CHECK(refusal(reference("h", 65537, "b")) != "(none)");
  CHECK(refusal(reference("h", -1, "b")) != "(none)");
  CHECK(refusal(reference("h", 1.5, "b")) != "(none)");
  CHECK(refusal(reference("h", true, "b")) != "(none)");
  CHECK(refusal(reference("h", 65535, "b")) == "(none)");
}

TEST_CASE("an agent reference names an agent id") {
  CHECK(refusal(reference("h", 1, "")) != "(none)");
  CHECK(refusal(reference("h", 1, "a/b")) != "(none)");
}

TEST_CASE("a reference that names no agent says so when it is called") {
  const AgentRef none;
  CHECK_FALSE(static_cast<bool>(none));
  CHECK_THROWS_AS(none({}), std::logic_error);
}

TEST_CASE("the options of a reference hold for what it is cloned and moved to") {
  const AgentRef agent = AgentRef(std::make_shared<Hurried>()).with({.deadline = std::chrono::seconds(2)});
  CHECK(agent.clone()().content() == 2000);
  CHECK(agent.to_dist()().content() == 2000);
  CHECK(agent.to_dist().with({})().content() == "none");
}

TEST_CASE("outside any call there is no deadline, nothing is cancelled, and progress goes nowhere") {
  CHECK(agentd::this_call::deadline() == std::chrono::steady_clock::time_point::max());
  CHECK_FALSE(agentd::this_call::cancelled());
  CHECK(agentd::this_call::id().empty());
  agentd::this_call::progress(1);
  CHECK(agentd::detail::current_context() == nullptr);
}
