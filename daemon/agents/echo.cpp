#include "daemon/agents/args.hpp"
#include "daemon/agents/content.hpp"
#include "daemon/agents/types.hpp"

namespace agentd::agents {
namespace {

class Echo : public Agent {
public:
  explicit Echo(const Json& args) { Args("echo", args, {}); }
  Message reply(const Message& input) override { return content_of(input); }

  static void describe(TypeOf<Echo>& type) {
    type.description("Answers with its input's content").args_schema(agents::args_schema(Json::object()));
    type.idempotent().quick();
  }
};

}  // namespace

AgentType echo_type() { return agent_type<Echo>("echo"); }

}  // namespace agentd::agents
