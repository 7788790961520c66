#include "daemon/rpc/metrics.hpp"

#include <charconv>
#include <chrono>
#include <vector>

namespace agentd::rpc {

namespace {

void append_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  ((out += "# HELP ") += name) += ' ';
  (out += help) += '\n';
  ((out += "# TYPE ") += name) += ' ';
  (out += type) += '\n';
}

void append_seconds(std::string& out, async::TurnTimes::Duration time) {
  char digits[32];
  const double seconds = std::chrono::duration<double>(time).count();
  out.append(digits, std::to_chars(digits, digits + sizeof digits, seconds).ptr);
}

std::vector<const async::TurnTimes*> turn_times_of(const runtime::Runtime& runtime) {
  const runtime::Shards* const shards = runtime.shards();
  if (!shards) return {&runtime.loop().turn_times()};
  std::vector<const async::TurnTimes*> all;
  for (std::size_t shard = 0; shard < shards->count(); ++shard)
    all.push_back(&shards->loop(shard).turn_times());
  return all;
}

}  // namespace

void append_metric(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                   std::uint64_t value) {
  append_head(out, name, type, help);
  ((out += name) += ' ') += std::to_string(value);
  out += '\n';
}

void append_turn_times(std::string& out, std::string_view name, std::string_view help,
                       std::span<const async::TurnTimes* const> loops) {
  append_head(out, name, "histogram", help);
  constexpr auto& bounds = async::TurnTimes::bounds;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    (out += name) += "_bucket{le=\"";
    if (i < bounds.size()) {
      append_seconds(out, bounds[i]);
    } else {
      out += "+Inf";
    }
    for (const async::TurnTimes* const times : loops) count += times->counts[i];
    (out += "\"} ") += std::to_string(count);
    out += '\n';
  }
  async::TurnTimes::Duration sum{};
  for (const async::TurnTimes* const times : loops) sum += times->sum();
  (out += name) += "_sum ";
  append_seconds(out, sum);
  ((out += '\n') += name) += "_count ";
  (out += std::to_string(count)) += '\n';
}

std::string metrics_text(const runtime::Runtime& runtime, const NodeControl& node, const NodeFacts& facts) {
  std::string out;
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    append_metric(out, name, "gauge", help, value);
  };
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    append_metric(out, name, "counter", help, value);
  };
  const runtime::Totals totals = runtime.totals();
  const auto uptime = std::chrono::steady_clock::now() - facts.started;
  gauge("agentd_uptime_seconds", "Seconds since the start",
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(uptime).count()));
  gauge("agentd_ready", "Whether new calls are taken", runtime.draining() ? 0 : 1);
  gauge("agentd_agents", "Agents hosted", totals.agents);
  gauge("agentd_calls_unsettled", "Calls accepted that have not settled", totals.unsettled);
  gauge("agentd_calls_running", "Calls whose method runs", totals.running);
  gauge("agentd_outcomes", "Outcomes kept", totals.settled());
  gauge("agentd_outcome_bytes", "Bytes of kept outcomes", totals.outcome_bytes);
  counter("agentd_calls_accepted_total", "Calls accepted", totals.accepted);
  counter("agentd_calls_done_total", "Calls that ended with a message", totals.done);
  counter("agentd_calls_failed_total", "Calls that ended with an error", totals.failed);
  counter("agentd_calls_cancelled_total", "Calls that were cancelled", totals.cancelled);
  counter("agentd_calls_refused_total", "Calls refused before anything was queued", totals.refused);
  counter("agentd_calls_dropped_total", "Notifications that nobody could be told about", totals.dropped);
  counter("agentd_outcomes_released_total", "Outcomes released", totals.released);
  counter("agentd_outcomes_expired_total", "Outcomes whose time to live ended", totals.expired);
  const auto turn_times = turn_times_of(runtime);
  append_turn_times(out, "agentd_loop_lag_seconds", "How long a turn of the event loop kept others waiting",
                    turn_times);
  node.append_metrics(out);
  return out;
}

}  // namespace agentd::rpc
