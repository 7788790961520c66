#include <algorithm>
#include <memory>
#include <optional>

#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/fields.hpp"
#include "sdk/agentctl/values.hpp"

/// One agent or one call, whichever has that id.
namespace agentd::ctl {
namespace {

struct GetOptions {
  std::string id;
  std::string wait;
};

bool is_ulid(std::string_view text) {
  return text.size() == 26 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

/// Nothing where there is none.
std::optional<std::string> get_agent(Client& client, const GetOptions& options) try {
  if (!is_agent_id(options.id)) return std::nullopt;
  return client.ask("agent.get", object({{"agent", json_string(options.id)}}));
} catch (const Error& error) {
  if (error.kind() == ErrorKind::agent_not_found) return std::nullopt;
  throw;
}

std::optional<std::string> get_call(Client& client, const GetOptions& options) try {
  if (!CallId::parse(options.id)) return std::nullopt;
  if (options.wait.empty()) return client.ask("call.get", object({{"call", json_string(options.id)}}));
  const auto wait = read_duration("--wait", options.wait);
  return client.ask("call.get",
                    object({{"call", json_string(options.id)}, {"wait_ms", std::to_string(wait.count())}}),
                    wait + Client::answer_limit);
} catch (const Error& error) {
  if (error.kind() == ErrorKind::call_not_found) return std::nullopt;
  throw;
}

Exit get(Context& context, const GetOptions& options) {
  if (!options.wait.empty()) (void)read_duration("--wait", options.wait);
  // Most calls are ULIDs, and most agents are not: the likelier one is asked for first.
  const bool call_first = is_ulid(options.id);
  auto found = call_first ? get_call(context.client, options) : get_agent(context.client, options);
  if (!found) found = call_first ? get_agent(context.client, options) : get_call(context.client, options);
  if (!found) {
    throw Error(ErrorKind::agent_not_found,
                "there is neither an agent nor a call \"" + options.id +
                    "\"; see agentctl agents and agentctl calls (a call is gone once it was released)")
        .at_node(context.client.node().text());
  }
  if (context.output.json()) {
    context.output.line(*found);
  } else {
    context.output.text(record(*found, {"timing"}));
  }
  return Exit::ok;
}

}  // namespace

void add_get_command(Commands& commands) {
  CLI::App& command =
      commands.add("get", "Show an agent with its state, or a call with its outcome (0 whatever that is).",
                   "  agentctl get visits\n"
                   "  agentctl get 01JZ6V7Q8Z3N5T9X2R4W6Y8A0C --wait 1m\n"
                   "  agentctl get visits -o json | jq .state\n");
  const auto options = std::make_shared<GetOptions>();
  add_text(command, "id", options->id, "AGENT|CALL", "The id of an agent, or of a call").required();
  add_text(command, "--wait", options->wait, "TIME", "Wait that long for the call to settle");
  command.callback([&commands, options] {
    commands.chosen = [options](Context& context) { return get(context, *options); };
  });
}

}  // namespace agentd::ctl
