#include <memory>

#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/fields.hpp"
#include "sdk/agentctl/pages.hpp"
#include "sdk/agentctl/values.hpp"
#include "sdk/src/create.hpp"

/// Agents: agents, create, delete.
namespace agentd::ctl {
namespace {

void add_list(Commands& commands) {
  struct Options : ListOptions {
    std::string type;
  };
  CLI::App& command = commands.add("agents", "List the agents of the node.",
                                   "  agentctl agents\n"
                                   "  agentctl agents --type echo --limit 1000\n");
  const auto options = std::make_shared<Options>();
  add_text(command, "--type", options->type, "TYPE", "Only agents of that type");
  options->add_to(command);
  command.callback([&commands, options] {
    commands.chosen = [options](Context& context) {
      const Listing listing =
          list(context.client, "agent.list", "agents", {{"type", json_string(options->type)}}, *options);
      print(context.output, listing, "agents",
            {{"AGENT", "agent"},
             {"TYPE", "type"},
             {"NAME", "name"},
             {"MAILBOX", "mailbox"},
             {"CALLS", "calls"}});
      return Exit::ok;
    };
  });
}

struct NewAgentOptions {
  std::string type;
  std::string id;
  std::string name;
  std::string args;
  std::string options;
};

std::string json_option(std::string_view name, const std::string& text) {
  return text.empty() ? "" : read_json(name, text);
}

Exit create(Context& context, const NewAgentOptions& options) {
  // Minted here: where the request is sent again, it makes no second one.
  const std::string id = options.id.empty() ? sdk::mint_agent_id(options.type) : options.id;
  const std::string answer =
      context.client.ask("agent.create", object({{"type", json_string(options.type)},
                                                 {"agent", json_string(id)},
                                                 {"name", json_string(options.name)},
                                                 {"args", json_option("--args", options.args)},
                                                 {"options", json_option("--options", options.options)}}));
  if (context.output.json()) {
    context.output.line(answer);
  } else {
    context.output.text(shown_member(answer, "agent") + '\n');
  }
  return Exit::ok;
}

void add_create(Commands& commands) {
  CLI::App& command =
      commands.add("create", "Make an agent, and print its id.",
                   "  agentctl create echo\n"
                   "  agentctl create counter --id visits --args '{\"start\": 10}'\n"
                   "  agentctl create echo --options '{\"ordering\": \"ready\", \"mailbox\": 100}'\n"
                   "  agent=$(agentctl create echo --name parrot)\n");
  const auto options = std::make_shared<NewAgentOptions>();
  add_text(command, "type", options->type, "TYPE", "Its type: see agentctl types").required();
  add_text(command, "--id", options->id, "ID", "Its id; made up if absent");
  add_text(command, "--name", options->name, "NAME", "Its name in its answers; its type's if absent");
  add_text(command, "--args", options->args, "JSON", "Its arguments: a JSON object");
  add_text(command, "--options", options->options, "JSON",
           "How the node keeps it: an object with ordering, deadline_ms, mailbox, state or claim");
  command.callback([&commands, options] {
    commands.chosen = [options](Context& context) { return create(context, *options); };
  });
}

void add_delete(Commands& commands) {
  CLI::App& command =
      commands.add("delete", "Delete an agent: its running call finishes, its queued ones fail.",
                   "  agentctl delete visits\n");
  const auto agent = std::make_shared<std::string>();
  add_text(command, "agent", *agent, "AGENT", "The agent's id").required();
  command.callback([&commands, agent] {
    commands.chosen = [agent](Context& context) {
      const std::string answer = context.client.ask("agent.delete", object({{"agent", json_string(*agent)}}));
      if (context.output.json()) {
        context.output.line(answer);
      } else {
        context.output.text(*agent + " is deleted\n");
      }
      return Exit::ok;
    };
  });
}

}  // namespace

void add_agent_commands(Commands& commands) {
  add_list(commands);
  add_create(commands);
  add_delete(commands);
}

}  // namespace agentd::ctl
