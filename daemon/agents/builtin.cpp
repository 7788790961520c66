#include "daemon/agents/builtin.hpp"

#include "daemon/agents/types.hpp"

namespace agentd::agents {

std::vector<AgentType> builtin_types() {
  std::vector<AgentType> types = {burner_type(),    counter_type(), echo_type(),      failer_type(),
                                  forwarder_type(), sleeper_type(), transcript_type()};
  for (AgentType& type : types) type.source = "built-in";
  return types;
}

}  // namespace agentd::agents
