#pragma once

#include "daemon/config/command_line.hpp"
#include "daemon/config/config.hpp"
#include "daemon/exit_codes.hpp"

namespace agentd {

/// Runs the node until a signal or `node.stop` ends it. Prints `agentd listening on HOST:PORT` on
/// standard output once the port accepts; what goes wrong before that is said on standard error.
/// `command` is kept for SIGHUP, which reads the configuration again. Call it once, on the main
/// thread, before there are others.
[[nodiscard]] Exit serve(const config::CommandLine& command, const config::Config& config);

}  // namespace agentd
