#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <agentd/version.hpp>

#include "common/protocol/near.hpp"
#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/values.hpp"

/// agentctl: agents and calls of a node, from the command line.
namespace agentd::ctl {
namespace {

constexpr const char* version = "agentctl " AGENTD_DETAIL_TEXT(AGENTD_VERSION_MAJOR) "." AGENTD_DETAIL_TEXT(
    AGENTD_VERSION_MINOR) "." AGENTD_DETAIL_TEXT(AGENTD_VERSION_PATCH);

constexpr const char* footer = R"(
Examples:
  agentctl create counter --id visits
  agentctl call visits
  agentctl calls --agent visits -o json --node 10.0.0.2:12001

Results go to standard output: text, or with -o json the node's result on one line.
Errors go to standard error; with -o json as one line of JSON, too.

Exit codes:
  0   done
  1   the call failed, or the node could not do what it was asked for
  2   there is no such agent, call or type
  64  usage: the command line, or a value in it that the node refuses
  69  the node could not be reached for 3 s
  70  a bug
  75  try again later: the node is overloaded, or shutting down
  77  the node did not let us in)";

struct Settings {
  std::string node;
  bool node_given = false;
  std::string token_file;
  std::string output = "text";
};

std::string node_of(const Settings& settings) {
  if (settings.node_given) return settings.node;
  const char* named = std::getenv("AGENTCTL_NODE");
  return named != nullptr && *named != '\0' ? named : "127.0.0.1:12001";
}

void add_settings(CLI::App& app, Settings& settings) {
  add_text(app, "--node", settings.node, "HOST:PORT", "The node [$AGENTCTL_NODE, or 127.0.0.1:12001]");
  add_text(app, "--token-file", settings.token_file, "FILE", "Show the node the token in this file");
  add_text(app, "-o,--output", settings.output, "text|json", "For people, or for programs [text]")
      .check(CLI::IsMember({"text", "json"}));
}

Exit usage(const Output& output, const std::string& what) {
  output.error(Error(ErrorKind::invalid_params, what));
  return Exit::usage;
}

Exit perform(const Command& command, const Settings& settings) {
  const Output output(settings.output == "json");
  try {
    const NodeAddress node = read_node(node_of(settings));
    Client client(node, settings.token_file.empty() ? "" : read_token(settings.token_file));
    Context context{client, output};
    return command(context);
  } catch (const UsageError& error) {
    return usage(output, error.what());
  } catch (const Error& error) {
    output.error(error);
    return exit_of(error);
  }
}

/// Names the word that is wrong, where the library only says what it would have liked.
std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const auto left = app.remaining(true);
  std::string text = error.what();
  if (!left.empty() && chosen.empty()) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
    text = "there is no command \"" + left.front() + '"' +
           protocol::did_you_mean(protocol::near_names(left.front(), names));
  } else if (!left.empty()) {
    text = '"' + left.front() + "\" is not expected here";
  }
  return text + "; see agentctl " + (chosen.empty() ? "" : chosen.front()->get_name() + ' ') + "--help";
}

Exit run(int argc, char** argv) {
  CLI::App app("Sees and steers the agents and calls of an agentd node.", "agentctl");
  app.set_version_flag("--version", version);
  app.footer(footer);
  app.require_subcommand(1);
  Settings settings;
  add_settings(app, settings);
  Commands commands{app, {}};
  add_node_commands(commands);
  add_agent_commands(commands);
  add_get_command(commands);
  add_call_commands(commands);
  add_top_command(commands);
  add_bench_command(commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return Exit::ok;
  } catch (const CLI::CallForVersion&) {
    std::printf("%s\n", version);
    return Exit::ok;
  } catch (const CLI::ParseError& error) {
    return usage(Output(settings.output == "json"), what_is_wrong(app, error));
  }
  // Given and empty is a mistake, perhaps of a script's: not the node on this machine.
  settings.node_given = app.count("--node") > 0;
  return perform(commands.chosen, settings);
}

Exit flushed(Exit code) {
  if (Output::flush() || code != Exit::ok) return code;
  std::fputs("agentctl: standard output did not take the whole result\n", stderr);
  return Exit::failed;
}

}  // namespace
}  // namespace agentd::ctl

int main(int argc, char** argv) {
  using agentd::ctl::Exit;
  try {
    return static_cast<int>(agentd::ctl::flushed(agentd::ctl::run(argc, argv)));
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "agentctl: a bug: %s\n", bug.what());
    return static_cast<int>(Exit::software);
  }
}
