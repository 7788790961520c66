#pragma once

#include <functional>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "sdk/agentctl/client.hpp"
#include "sdk/agentctl/exit.hpp"
#include "sdk/agentctl/output.hpp"

namespace agentd::ctl {

/// What a command works with.
struct Context {
  Client& client;
  const Output& output;
};

/// A command with its options read, ready to run. Throws `Error` and `UsageError`.
using Command = std::function<Exit(Context&)>;

/// The program's command line as it is being described: each command adds a subcommand that, where
/// it is given, sets `chosen`.
struct Commands {
  CLI::App& app;
  Command chosen;

  /// Adds one; `examples` are shown at the end of its help.
  CLI::App& add(const std::string& name, const std::string& description, const std::string& examples);
};

/// Adds a text option with a value called `value_name`, which never takes more than one word.
CLI::Option& add_text(CLI::App& app, const std::string& names, std::string& value,
                      const std::string& value_name, const std::string& help);

void add_node_commands(Commands& commands);
void add_agent_commands(Commands& commands);
void add_call_commands(Commands& commands);
void add_get_command(Commands& commands);
void add_top_command(Commands& commands);
void add_bench_command(Commands& commands);

}  // namespace agentd::ctl
