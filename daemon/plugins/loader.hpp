#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <agentd/agent.hpp>

#include "common/protocol/result.hpp"

namespace agentd::plugins {

/// Loads plugins, in this order, and answers the agent types that they bring; `known` are the types
/// that the daemon has already.
///
/// Only at start, before other threads. A plugin's code stays loaded until the process ends. Fails
/// with the file and what is wrong: unsafe permissions (see `safe_path`), not loadable, no plugin at
/// all, made for another version, no types, or a type whose name is taken. Code of a plugin runs from
/// `dlopen` on, so its file is checked before.
[[nodiscard]] Result<std::vector<AgentType>> load(const std::vector<std::string>& files,
                                                  const std::vector<AgentType>& known);

/// What plugins must have been built for to be taken.
[[nodiscard]] std::string_view required_abi();

}  // namespace agentd::plugins
