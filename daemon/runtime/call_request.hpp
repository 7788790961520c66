#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/call.hpp"
#include "daemon/runtime/call_input.hpp"

namespace agentd::runtime {

/// A call to be made, with its input read already.
struct CallRequest {
  std::string_view agent;
  std::string_view method = "reply";
  CallId call;
  CallInput input;
  std::optional<std::chrono::milliseconds> deadline;
  /// Null: a caller of its own.
  CallerPtr caller;
  std::vector<std::string> path;
  /// The connection it came over; 0 for none.
  std::uint64_t origin = 0;
};

}  // namespace agentd::runtime
