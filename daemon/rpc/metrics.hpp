#pragma once

#include <span>
#include <string>
#include <string_view>

#include "daemon/rpc/node_control.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::rpc {

/// Appends one metric without labels, with its HELP and TYPE lines.
void append_metric(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                   std::uint64_t value);

/// Appends the turns of these loops, taken together, as a histogram.
void append_turn_times(std::string& out, std::string_view name, std::string_view help,
                       std::span<const async::TurnTimes* const> loops);

/// The node's metrics in Prometheus' text format 0.0.4.
[[nodiscard]] std::string metrics_text(const runtime::Runtime& runtime, const NodeControl& node,
                                       const NodeFacts& facts);

}  // namespace agentd::rpc
