#pragma once

#include <functional>
#include <vector>

#include <agentd/agent_ref.hpp>

#include "tests/integration/equivalence/program.hpp"

/// How an agent is moved; nothing where agents stay.
using Move = std::function<void(const agentd::AgentRef& agent)>;

/// Runs the program over these agents, and answers its transcript: for each statement, what its message is in
/// the end; last, whether everybody in the hub heard everything.
[[nodiscard]] agentd::Json run(const Program& program, std::vector<agentd::AgentRef> agents,
                               const Move& move);
