#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/protocol/result.hpp"
#include "daemon/config/config.hpp"

namespace agentd::config {

/// What the command line asks for. A plain value.
struct CommandLine {
  enum class Task {
    /// Run the daemon.
    serve,
    /// Say whether the configuration is good.
    check,
    /// Print the configuration in force.
    print,
    /// Print `text` and leave: help, or the version.
    tell,
  };
  Task task = Task::serve;
  std::string text;
  /// The configuration file; empty where none is given.
  std::string file;

  /// One flag that stands for a key of the configuration.
  struct Flag {
    std::string name;  // "--port"
    std::string key;   // "port"
    std::vector<std::string> values;
  };
  std::vector<Flag> flags;
};

/// Fails with what is wrong, for exit code 64. The values of the flags are checked too.
[[nodiscard]] Result<CommandLine> parse_command_line(int argc, const char* const* argv);

/// Puts the flags over `config`.
[[nodiscard]] Result<void> apply_flags(const CommandLine& command, Config& config);

}  // namespace agentd::config
