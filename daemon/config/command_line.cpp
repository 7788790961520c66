#include "daemon/config/command_line.hpp"

#include <charconv>
#include <filesystem>
#include <optional>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <agentd/version.hpp>

#include "daemon/config/keys.hpp"
#include "daemon/config/near.hpp"

namespace agentd::config {
namespace {

Error refuse(std::string message) { return {ErrorKind::invalid_params, std::move(message)}; }

Error refuse_usage(const std::string& message) {
  return refuse(message + (message.ends_with('?') ? " See agentd --help" : "; see agentd --help"));
}

constexpr const char* network = "Network";
constexpr const char* access = "Who may call";
constexpr const char* work = "Work";
constexpr const char* configuration = "Configuration";

/// A flag that sets a key of the configuration.
struct FlagOf {
  const char* name;
  const char* key;
  const char* value;  // how help calls it; null for a flag without a value
  const char* group;
  const char* help;
};

constexpr FlagOf flags_of_keys[] = {
    {"--host", "host", "ADDRESS", network, "Listen there [127.0.0.1]"},
    {"--port", "port", "PORT", network, "Listen there; 0 picks a free port [12001]"},
    {"--advertise", "advertise", "HOST[:PORT]", network,
     "How other nodes reach this one; needed with 0.0.0.0 or ::"},
    {"--peer", "peers", "HOST|CIDR[:PORT]", network,
     "A node, or a block of addresses, that this node may dial; repeatable. Tokens go only to peers with a "
     "port"},
    {"--token-file", "token_file", "FILE", access,
     "Ask callers for the token in this file, which others must not be able to read"},
    {"--insecure", "insecure", nullptr, access, "Listen beyond loopback without a token"},
    {"--plugin", "plugins", "FILE.so", work, "Load agent types from this plugin; repeatable"},
    {"--loops", "loops", "N", work, "Event loops, a thread each; 0: the number of cores [1]"},
    {"--workers", "workers", "N", work, "Threads for agents that block; 0: twice the number of cores [0]"},
    {"--spin-us", "spin_us", "N", work, "Microseconds to look for more to do before the loop sleeps [0]"},
    {"--data-dir", "data_dir", "DIR", work, "Where a durable node keeps its journal"},
    {"--durability", "durability", "on|off", work,
     "Whether accepted calls survive a crash; this release: off [off]"},
    {"--log-level", "log_level", "LEVEL", work, "trace, debug, info, warn, error or off [info]"},
};

constexpr const char* footer = R"(
Flags win over the configuration file. A repeated flag replaces the file's list.

Example:
  agentd --peer 10.0.0.2:12001
  curl -s localhost:12001/rpc -d '{"jsonrpc":"2.0","id":1,"method":"node.info"}'

Exit codes: 0 after SIGTERM, SIGINT or node.stop; 64 usage; 69 address in use;
70 a bug; 74 not written; 78 configuration.)";

std::string version_text() {
  return "agentd " AGENTD_DETAIL_TEXT(AGENTD_VERSION_MAJOR) "." AGENTD_DETAIL_TEXT(
      AGENTD_VERSION_MINOR) "." AGENTD_DETAIL_TEXT(AGENTD_VERSION_PATCH);
}

/// What CLI11 fills in; one slot for each of `flags_of_keys`.
struct Given {
  std::string file;
  bool check = false;
  bool print = false;
  std::vector<std::vector<std::string>> values{std::size(flags_of_keys)};
  std::vector<CLI::Option*> options;
};

void add_configuration_flags(CLI::App& app, Given& given) {
  app.add_option("--config", given.file, "Read this file: JSON, comments allowed")
      ->type_name("FILE")
      ->group(configuration);
  app.add_flag("--check-config", given.check, "Say whether the configuration is good, and exit")
      ->disable_flag_override()
      ->group(configuration);
  app.add_flag("--print-config", given.print, "Print the whole configuration in force, and exit")
      ->disable_flag_override()
      ->group(configuration);
}

void add_key_flags(CLI::App& app, Given& given) {
  for (std::size_t i = 0; i < std::size(flags_of_keys); ++i) {
    const FlagOf& flag = flags_of_keys[i];
    CLI::Option* option = flag.value == nullptr ? app.add_flag(flag.name, flag.help)->disable_flag_override()
                                                : app.add_option(flag.name, given.values[i], flag.help);
    option->group(flag.group);
    if (flag.value != nullptr)
      option->type_name(flag.value)->type_size(1)->expected(1)->allow_extra_args(false);
    const Key* key = find_key(top_keys(), flag.key);
    if (key->kind == Key::Kind::list) option->take_all();
    given.options.push_back(option);
  }
}

std::vector<CommandLine::Flag> flags_in(const Given& given) {
  std::vector<CommandLine::Flag> flags;
  for (std::size_t i = 0; i < std::size(flags_of_keys); ++i) {
    if (given.options[i]->count() == 0) continue;
    flags.push_back({flags_of_keys[i].name, flags_of_keys[i].key, given.values[i]});
  }
  return flags;
}

std::vector<std::string> all_flag_names() {
  std::vector<std::string> names = {"--config", "--check-config", "--print-config", "--help", "--version"};
  for (const FlagOf& flag : flags_of_keys) names.emplace_back(flag.name);
  return names;
}

Error unexpected(const std::string& word) {
  std::string text =
      word.starts_with("-") ? "there is no flag " + word : "\"" + word + "\" is not expected here";
  const std::string near = near_name(word.substr(0, word.find('=')), all_flag_names());
  if (!near.empty()) text += "; did you mean " + near + "?";
  return refuse_usage(text);
}

/// Of CLI11's messages, those that people meet, in our words.
Error in_our_words(const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string flag = text.substr(0, text.find_first_of(": "));
  if (text.ends_with(" missing")) return refuse_usage(flag + " needs a value");
  if (text.find(" At Most 1 ") != std::string::npos) return refuse_usage(flag + " is given more than once");
  if (text.ends_with(" flag override")) return refuse_usage("--" + flag + " takes no value");
  return refuse_usage(text);
}

std::optional<Scalar> scalar(const Key& key, const std::string& text) {
  if (key.kind != Key::Kind::integer) return Scalar(text);
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return Scalar(number);
}

Result<void> apply_flag(const CommandLine::Flag& flag, const Key& key, Config& config) {
  const auto base = std::filesystem::current_path();
  config.origins[flag.key] = flag.name;
  if (key.kind == Key::Kind::flag) {
    key.set(config, Scalar(true), base);
    return {};
  }
  if (key.clear) key.clear(config);
  for (const std::string& value : flag.values) {
    const auto given = scalar(key, value);
    if (given && key.fits(*given) && key.set(config, *given, base)) continue;
    return refuse(flag.name + " is \"" + value + "\"; it must be " + key.allowed);
  }
  return {};
}

Result<CommandLine> checked(CommandLine command) {
  Config scratch;
  if (const auto applied = apply_flags(command, scratch); !applied) return applied.error();
  return command;
}

CommandLine tell(std::string text) {
  CommandLine command;
  command.task = CommandLine::Task::tell;
  command.text = std::move(text);
  return command;
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, const char* const* argv) {
  CLI::App app("Hosts agents, and answers JSON-RPC over HTTP and WebSocket.", "agentd");
  app.set_version_flag("--version", version_text());
  app.footer(footer);
  app.allow_extras();
  Given given;
  add_configuration_flags(app, given);
  add_key_flags(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return tell(app.help());
  } catch (const CLI::CallForVersion&) {
    return tell(version_text() + "\n");
  } catch (const CLI::ParseError& error) {
    return in_our_words(error);
  }
  if (const auto extras = app.remaining(); !extras.empty()) return unexpected(extras.front());
  if (given.check && given.print) return refuse("--check-config and --print-config exclude each other");
  CommandLine command;
  if (given.check) command.task = CommandLine::Task::check;
  if (given.print) command.task = CommandLine::Task::print;
  command.file = given.file;
  command.flags = flags_in(given);
  return checked(std::move(command));
}

Result<void> apply_flags(const CommandLine& command, Config& config) {
  for (const CommandLine::Flag& flag : command.flags) {
    const auto applied = apply_flag(flag, *find_key(top_keys(), flag.key), config);
    if (!applied) return applied;
  }
  return {};
}

}  // namespace agentd::config
