#pragma once

#include <vector>

#include <agentd/agent.hpp>

namespace agentd::agents {

/// The agent types that every node has: small ones, for trying things out, for demos and for tests.
///
/// Plain values, made anew by each call; from any thread. Making an agent of one throws `Error`
/// (`invalid_params`) where its arguments are not what the type takes, naming the wrong one.
[[nodiscard]] std::vector<AgentType> builtin_types();

}  // namespace agentd::agents
