#pragma once

#include <agentd/agent.hpp>

/// One function for each built-in type. Inside this room only.
namespace agentd::agents {

[[nodiscard]] AgentType burner_type();
[[nodiscard]] AgentType counter_type();
[[nodiscard]] AgentType echo_type();
[[nodiscard]] AgentType failer_type();
[[nodiscard]] AgentType forwarder_type();
[[nodiscard]] AgentType sleeper_type();
[[nodiscard]] AgentType transcript_type();

}  // namespace agentd::agents
