#include "daemon/agents/args.hpp"
#include "daemon/agents/types.hpp"

namespace agentd::agents {
namespace {

class Forwarder : public Agent {
public:
  explicit Forwarder(const Json& args) : to_(Args("forwarder", args, {"to"}).agent("to")) {}

  Task<Message> reply_async(Message input) override { co_return co_await to_(input); }

  static void describe(TypeOf<Forwarder>& type) {
    const Json address = {{"type", "object"},
                          {"properties",
                           {{"host", {{"type", "string"}}},
                            {"port", {{"type", "integer"}, {"minimum", 1}, {"maximum", 65535}}},
                            {"agent", {{"type", "string"}}}}},
                          {"required", {"host", "port", "agent"}},
                          {"additionalProperties", false}};
    const Json reference = {{"type", "object"},
                            {"properties", {{"$agent", address}}},
                            {"required", Json::array({"$agent"})},
                            {"additionalProperties", false},
                            {"description", "the agent to call"}};
    type.description("Calls another agent with its input, and answers with that agent's answer");
    type.args_schema(agents::args_schema({{"to", reference}}, {"to"}));
  }

private:
  AgentRef to_;
};

}  // namespace

AgentType forwarder_type() { return agent_type<Forwarder>("forwarder"); }

}  // namespace agentd::agents
