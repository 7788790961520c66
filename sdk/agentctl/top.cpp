#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>

#include "sdk/agentctl/command.hpp"
#include "sdk/agentctl/fields.hpp"
#include "sdk/agentctl/pages.hpp"
#include "sdk/agentctl/table.hpp"
#include "sdk/agentctl/values.hpp"

/// The busiest agents of a node, again and again.
namespace agentd::ctl {
namespace {

using Clock = std::chrono::steady_clock;

/// How many agents are looked at for the busiest of them.
constexpr std::uint32_t looked_at = 10'000;

struct TopOptions {
  std::string interval = "1s";
  std::uint32_t rows = 20;
  bool once = false;
};

struct AgentRow {
  std::string id;
  std::string type;
  std::string name;
  std::uint64_t mailbox = 0;
  std::uint64_t calls = 0;
  double per_second = 0;
};

struct Sample {
  Clock::time_point taken;
  std::string info;
  Listing listing;
  std::vector<AgentRow> agents;
};

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Sample take(Client& client) {
  Sample sample;
  sample.info = client.ask("node.info", "{}");
  ListOptions all;
  all.limit = looked_at;
  sample.listing = list(client, "agent.list", "agents", {}, all);
  sample.taken = Clock::now();
  for (const std::string_view agent : elements(member(sample.listing.json, "agents"))) {
    sample.agents.push_back({shown_member(agent, "agent"), shown_member(agent, "type"),
                             shown_member(agent, "name"), number(member(agent, "mailbox")),
                             number(member(agent, "calls"))});
  }
  return sample;
}

void add_rates(Sample& sample, const Sample& before) {
  const double seconds = std::chrono::duration<double>(sample.taken - before.taken).count();
  std::map<std::string_view, std::uint64_t> calls;
  for (const AgentRow& agent : before.agents) calls[agent.id] = agent.calls;
  for (AgentRow& agent : sample.agents) {
    const auto known = calls.find(agent.id);
    const std::uint64_t then = known == calls.end() ? 0 : known->second;
    // Fewer than before: another agent, which has the id of one that was deleted.
    if (agent.calls > then) agent.per_second = static_cast<double>(agent.calls - then) / seconds;
  }
}

bool is_busier(const AgentRow& a, const AgentRow& b) {
  return std::tuple(-a.per_second, ~a.mailbox, ~a.calls, std::string_view(a.id)) <
         std::tuple(-b.per_second, ~b.mailbox, ~b.calls, std::string_view(b.id));
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string headline(const Client& client, const std::string& info) {
  const std::string_view calls = member(info, "calls");
  return client.node().text() + "  " + (member(info, "ready") == "true" ? "ready" : "draining") + "  up " +
         shown_member(info, "uptime_s") + " s  agents " + shown_member(info, "agents") + "  pending " +
         shown_member(calls, "pending") + "  running " + shown_member(calls, "running") + "  settled " +
         shown_member(calls, "settled") + '\n';
}

std::string agents_table(Sample& sample, bool has_rates, std::size_t rows, bool terminal) {
  const std::size_t shown_rows = std::min(rows, sample.agents.size());
  std::partial_sort(sample.agents.begin(), sample.agents.begin() + static_cast<std::ptrdiff_t>(shown_rows),
                    sample.agents.end(), is_busier);
  Table table({"AGENT", "TYPE", "NAME", "MAILBOX", "CALLS", "CALLS/S"});
  for (std::size_t i = 0; i < shown_rows; ++i) {
    const AgentRow& agent = sample.agents[i];
    table.add({agent.id, agent.type, agent.name, std::to_string(agent.mailbox), std::to_string(agent.calls),
               has_rates ? rounded(agent.per_second) : "-"});
  }
  return table.text(terminal);
}

void show(Context& context, const TopOptions& options, Sample& sample, bool has_rates) {
  const Output& output = context.output;
  if (output.json()) {
    output.line(
        object({{"info", sample.info}, {"agents", std::string(member(sample.listing.json, "agents"))}}));
  } else {
    const bool clear = output.terminal() && !options.once;
    output.text((clear ? "\x1b[H\x1b[2J" : "") + headline(context.client, sample.info) + '\n' +
                agents_table(sample, has_rates, options.rows, output.terminal()));
    if (sample.listing.more) {
      output.text("(of the first " + std::to_string(looked_at) + " agents)\n");
    }
    if (!clear && !options.once) output.text("\n");
  }
}

Exit top(Context& context, const TopOptions& options) {
  const auto interval = read_duration("--interval", options.interval);
  std::optional<Sample> before;
  while (true) {
    Sample sample = take(context.client);
    if (before) add_rates(sample, *before);
    show(context, options, sample, before.has_value());
    if (options.once) return Exit::ok;
    if (!Output::flush()) return Exit::failed;
    before = std::move(sample);
    std::this_thread::sleep_for(interval);
  }
}

}  // namespace

void add_top_command(Commands& commands) {
  CLI::App& command =
      commands.add("top", "Show the busiest agents of the node, again and again, until interrupted.",
                   "  agentctl top\n"
                   "  agentctl top --interval 5s --rows 50\n"
                   "  agentctl top --once -o json\n");
  const auto options = std::make_shared<TopOptions>();
  add_text(command, "--interval", options->interval, "TIME", "How often [1s]");
  command.add_option("--rows", options->rows, "How many agents [20]")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, looked_at));
  command.add_flag("--once", options->once, "Show it once, without rates, and leave");
  command.callback([&commands, options] {
    commands.chosen = [options](Context& context) { return top(context, *options); };
  });
}

}  // namespace agentd::ctl
