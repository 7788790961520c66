#include <memory>

#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/fields.hpp"
#include "sdk/agentctl/table.hpp"
#include "sdk/agentctl/values.hpp"

/// The node itself: info, types, drain, stop.
namespace agentd::ctl {
namespace {

Exit info(Context& context) {
  const std::string answer = context.client.ask("node.info", "{}");
  if (context.output.json()) {
    context.output.line(answer);
  } else {
    context.output.text(record(answer, {"calls", "limits"}));
  }
  return Exit::ok;
}

std::string joined(const std::vector<std::string_view>& values) {
  std::string out;
  for (const std::string_view value : values) out += (out.empty() ? "" : ",") + shown(value);
  return out;
}

Exit types(Context& context) {
  const std::string answer = context.client.ask("type.list", "{}");
  if (context.output.json()) {
    context.output.line(answer);
    return Exit::ok;
  }
  Table table({"TYPE", "METHODS", "SOURCE", "DESCRIPTION"});
  for (const std::string_view type : elements(member(answer, "types"))) {
    table.add({shown_member(type, "type"), joined(elements(member(type, "methods"))),
               shown_member(type, "source"), shown_member(type, "description")});
  }
  context.output.text(table.text(context.output.terminal()));
  return Exit::ok;
}

Exit ask_and_say(Context& context, std::string_view method, std::string params, std::string_view said) {
  const std::string answer = context.client.ask(method, std::move(params));
  if (context.output.json()) {
    context.output.line(answer);
  } else {
    context.output.text(context.client.node().text() + ' ' + std::string(said) + '\n');
  }
  return Exit::ok;
}

void add_stop(Commands& commands) {
  CLI::App& command =
      commands.add("stop", "Stop the node: it drains, runs what it can within the grace period, and ends.",
                   "  agentctl stop\n"
                   "  agentctl stop --grace 1m --node 10.0.0.2:12001\n");
  const auto grace = std::make_shared<std::string>();
  add_text(command, "--grace", *grace, "TIME",
           "How long calls may still run; the node's own setting if absent");
  command.callback([&commands, grace] {
    commands.chosen = [grace](Context& context) {
      const std::string limit =
          grace->empty() ? "" : std::to_string(read_duration("--grace", *grace).count());
      return ask_and_say(context, "node.stop", object({{"grace_ms", limit}}), "is stopping");
    };
  });
}

}  // namespace

void add_node_commands(Commands& commands) {
  commands
      .add("info", "Show what the node is, and what it is doing.",
           "  agentctl info\n"
           "  agentctl info -o json --node 10.0.0.2:12001\n")
      .callback([&commands] { commands.chosen = info; });
  commands
      .add("types", "List the agent types that the node can make.",
           "  agentctl types\n"
           "  agentctl types -o json\n")
      .callback([&commands] { commands.chosen = types; });
  commands
      .add("drain", "Let the node take no new calls; those it has go on.",
           "  agentctl drain\n"
           "  agentctl drain --node 10.0.0.2:12001\n")
      .callback([&commands] {
        commands.chosen = [](Context& context) {
          return ask_and_say(context, "node.drain", "{}", "is draining");
        };
      });
  add_stop(commands);
}

}  // namespace agentd::ctl
