#pragma once

#include "daemon/config/command_line.hpp"
#include "daemon/config/config.hpp"

namespace agentd::config {

/// The configuration in force: defaults, file and flags, checked as a whole. Where no token file is
/// named, systemd's credential `token` is one. Fails with the place and what to do, for exit code 78.
[[nodiscard]] Result<Config> load(const CommandLine& command);

/// What no single key can tell: whether the keys together make a node that is safe to start.
[[nodiscard]] Result<void> check_rules(const Config& config);

/// Reads the tokens from their files into `config.node`.
[[nodiscard]] Result<void> read_tokens(Config& config);

}  // namespace agentd::config
