#include <memory>
#include <optional>
#include <set>

#include "common/protocol/params.hpp"
#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/fields.hpp"
#include "sdk/agentctl/pages.hpp"
#include "sdk/agentctl/table.hpp"
#include "sdk/agentctl/values.hpp"

/// Calls: call, cancel, calls, release.
namespace agentd::ctl {
namespace {

struct CallOptionsGiven {
  std::string agent;
  std::string input;
  bool has_input = false;
  std::string method = "reply";
  std::string deadline;
  bool no_wait = false;
};

std::string call_param(const CallId& call) { return object({{"call", json_string(call.text())}}); }

/// The outcome has been read. Where that fails, the node forgets it by itself in time.
void release(Client& client, const CallId& call) try {
  (void)client.ask("call.release", object({{"calls", '[' + json_string(call.text()) + ']'}}));
} catch (const Error&) {
}

/// A string as it is, anything else as JSON; on a terminal without what would steer it.
std::string content_text(const Output& output, std::string_view content) {
  if (content.empty()) return "null\n";
  const bool is_string = content.starts_with('"');
  std::string text = is_string ? unquoted(content) : std::string(content);
  if (output.terminal()) text = printable(text, true);
  return text += '\n';
}

Exit start(Context& context, const std::string& params) {
  const std::string answer = context.client.ask("agent.call", params);
  if (context.output.json()) {
    context.output.line(answer);
  } else {
    context.output.text(shown_member(answer, "call") + '\n');
  }
  return Exit::ok;
}

/// Prints what `call.get` says of a call that has settled.
void print_outcome(Context& context, const CallId& id, const net::Settled& settled) {
  const Output& output = context.output;
  if (!output.json() && !settled.elsewhere) {
    const auto& content = settled.outcome.value().content;
    return output.text(content_text(output, content ? *content : std::string_view()));
  }
  const std::string answer = context.client.ask("call.get", call_param(id));
  if (output.json()) return output.line(answer);
  output.text(content_text(output, member(member(answer, "value"), "content")));
}

Exit call(Context& context, const CallOptionsGiven& options) {
  const CallId id = CallId::mint();
  const std::string input = options.has_input ? read_input(options.input) : "";
  std::optional<std::chrono::milliseconds> deadline;
  if (!options.deadline.empty()) deadline = read_duration("--deadline", options.deadline);
  protocol::OutgoingCall outgoing;
  outgoing.agent = options.agent;
  outgoing.method = options.method;
  outgoing.call = id.text();
  outgoing.input = input;
  std::string params;
  if (options.no_wait) {
    outgoing.deadline = deadline;
    protocol::append_call_params(params, outgoing);
    return start(context, params);
  }
  outgoing.settled = protocol::SettledMode::automatic;
  protocol::append_call_params(params, outgoing);
  const net::Settled settled = context.client.call(
      id, std::move(params), deadline, [&](std::string_view value) { context.output.progress(value); });
  if (!settled.elsewhere && !settled.outcome) {
    const Error& error = settled.outcome.error();
    if (exit_of(error) != Exit::unreachable) release(context.client, id);
    throw error;
  }
  print_outcome(context, id, settled);
  release(context.client, id);
  return Exit::ok;
}

void add_call(Commands& commands) {
  CLI::App& command = commands.add(
      "call",
      "Call an agent, wait, and print the content of its answer. Partial output goes to standard\n"
      "error as it comes. The outcome is released once it is printed. Interrupted, the call goes on\n"
      "at the node.",
      "  agentctl call visits\n"
      "  agentctl call parrot 'good morning' --deadline 5s\n"
      "  agentctl call parrot '{\"content\": [1, 2], \"role\": \"user\"}' -o json\n"
      "  agentctl call summariser - < report.txt\n"
      "  id=$(agentctl call slow --no-wait); agentctl get $id --wait 1m; agentctl release $id\n");
  const auto options = std::make_shared<CallOptionsGiven>();
  add_text(command, "agent", options->agent, "AGENT", "The agent's id").required();
  CLI::Option& input =
      add_text(command, "input", options->input, "INPUT",
               "The input: JSON as agent.call takes it, and otherwise a string; - reads standard input");
  add_text(command, "--method", options->method, "METHOD", "Which method [reply]");
  add_text(command, "--deadline", options->deadline, "TIME",
           "Until when it settles, such as 500ms, 5s, 2m; the agent's or the node's if absent");
  command.add_flag("--no-wait", options->no_wait, "Print the call's id and leave; the outcome is kept");
  command.callback([&commands, options, &input] {
    options->has_input = input.count() > 0;
    commands.chosen = [options](Context& context) { return call(context, *options); };
  });
}

void add_list(Commands& commands) {
  struct Options : ListOptions {
    std::string agent;
    std::string state;
  };
  CLI::App& command = commands.add("calls", "List the calls that the node remembers.",
                                   "  agentctl calls\n"
                                   "  agentctl calls --agent visits --state running\n");
  const auto options = std::make_shared<Options>();
  add_text(command, "--agent", options->agent, "AGENT", "Only calls of that agent");
  add_text(command, "--state", options->state, "STATE",
           "Only calls in that state: waiting, queued, running, done, failed or cancelled");
  options->add_to(command);
  command.callback([&commands, options] {
    commands.chosen = [options](Context& context) {
      const Listing listing =
          list(context.client, "call.list", "calls",
               {{"agent", json_string(options->agent)}, {"state", json_string(options->state)}}, *options);
      print(context.output, listing, "calls",
            {{"CALL", "call"},
             {"AGENT", "agent"},
             {"METHOD", "method"},
             {"STATE", "state"},
             {"ACCEPTED", "accepted"},
             {"SETTLED", "settled"}});
      return Exit::ok;
    };
  });
}

void add_cancel(Commands& commands) {
  CLI::App& command = commands.add("cancel", "Cancel a call, and print its state then.",
                                   "  agentctl cancel 01JZ6V7Q8Z3N5T9X2R4W6Y8A0C\n");
  const auto id = std::make_shared<std::string>();
  add_text(command, "call", *id, "CALL", "The call's id").required();
  command.callback([&commands, id] {
    commands.chosen = [id](Context& context) {
      const std::string answer = context.client.ask("call.cancel", call_param(read_call(*id)));
      if (context.output.json()) {
        context.output.line(answer);
      } else {
        context.output.text(shown_member(answer, "state") + '\n');
      }
      return Exit::ok;
    };
  });
}

Exit release_all(Context& context, const std::set<std::string>& calls) {
  std::string ids;
  for (const std::string& call : calls) {
    ids += (ids.empty() ? "" : ",") + json_string(read_call(call).text());
  }
  const std::string answer = context.client.ask("call.release", object({{"calls", '[' + ids + ']'}}));
  if (context.output.json()) {
    context.output.line(answer);
  } else {
    context.output.text("released " + shown_member(answer, "released") + '\n');
  }
  if (member(answer, "released") == std::to_string(calls.size())) return Exit::ok;
  throw Error(ErrorKind::call_not_found,
              "of " + std::to_string(calls.size()) + " calls " + shown_member(answer, "released") +
                  " were there: the others never were, or have been released or have expired")
      .at_node(context.client.node().text());
}

void add_release(Commands& commands) {
  CLI::App& command =
      commands.add("release", "Let the node forget the outcomes of calls (2 where one was not there).",
                   "  agentctl release 01JZ6V7Q8Z3N5T9X2R4W6Y8A0C\n");
  const auto ids = std::make_shared<std::set<std::string>>();
  command.add_option("calls", *ids, "The calls' ids")->type_name("CALL")->required();
  command.callback(
      [&commands, ids] { commands.chosen = [ids](Context& context) { return release_all(context, *ids); }; });
}

}  // namespace

void add_call_commands(Commands& commands) {
  add_call(commands);
  add_list(commands);
  add_cancel(commands);
  add_release(commands);
}

}  // namespace agentd::ctl
