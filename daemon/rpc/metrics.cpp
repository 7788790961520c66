#include "daemon/rpc/metrics.hpp"

namespace agentd::rpc {

void append_metric(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                   std::uint64_t value) {
  ((out += "# HELP ") += name) += ' ';
  (out += help) += '\n';
  ((out += "# TYPE ") += name) += ' ';
  (out += type) += '\n';
  ((out += name) += ' ') += std::to_string(value);
  out += '\n';
}

std::string metrics_text(const runtime::Runtime& runtime, const NodeControl& node, const NodeFacts& facts) {
  std::string out;
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    append_metric(out, name, "gauge", help, value);
  };
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    append_metric(out, name, "counter", help, value);
  };
  const auto& counters = runtime.counters();
  const auto uptime = std::chrono::steady_clock::now() - facts.started;
  gauge("agentd_uptime_seconds", "Seconds since the start",
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(uptime).count()));
  gauge("agentd_ready", "Whether new calls are taken", runtime.draining() ? 0 : 1);
  gauge("agentd_agents", "Agents hosted", runtime.agents());
  gauge("agentd_calls_unsettled", "Calls accepted that have not settled", runtime.unsettled());
  gauge("agentd_calls_running", "Calls whose method runs", runtime.running());
  gauge("agentd_outcomes", "Outcomes kept", runtime.settled());
  gauge("agentd_outcome_bytes", "Bytes of kept outcomes", runtime.outcome_bytes());
  counter("agentd_calls_accepted_total", "Calls accepted", counters.accepted);
  counter("agentd_calls_done_total", "Calls that ended with a message", counters.done);
  counter("agentd_calls_failed_total", "Calls that ended with an error", counters.failed);
  counter("agentd_calls_cancelled_total", "Calls that were cancelled", counters.cancelled);
  counter("agentd_calls_refused_total", "Calls refused before anything was queued", counters.refused);
  counter("agentd_calls_dropped_total", "Notifications that nobody could be told about", counters.dropped);
  counter("agentd_outcomes_released_total", "Outcomes released", counters.released);
  counter("agentd_outcomes_expired_total", "Outcomes whose time to live ended", counters.expired);
  node.append_metrics(out);
  return out;
}

}  // namespace agentd::rpc
