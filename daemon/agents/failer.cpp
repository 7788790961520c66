#include <stdexcept>

#include "common/json/text.hpp"
#include "daemon/agents/args.hpp"
#include "daemon/agents/types.hpp"

namespace agentd::agents {
namespace {

class Failer : public Agent {
public:
  explicit Failer(const Json& args) { Args("failer", args, {}); }

  Message reply(const Message& input) override {
    const std::string_view content = json::trim(input.raw_content());
    const bool is_text = json::type_of(content) == json::Type::string;
    throw std::runtime_error(is_text ? json::unquote(content) : std::string(content));
  }

  static void describe(TypeOf<Failer>& type) {
    type.description("Fails, with its input's content as the message");
    type.args_schema(agents::args_schema(Json::object())).idempotent().quick();
  }
};

}  // namespace

AgentType failer_type() { return agent_type<Failer>("failer"); }

}  // namespace agentd::agents
