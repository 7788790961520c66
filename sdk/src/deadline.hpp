#pragma once

#include <algorithm>
#include <chrono>

namespace agentd::sdk {

/// When that time is over. The longest that can be said would overflow the clock, and a node takes some
/// 115 days: longer than a hundred is a hundred.
inline std::chrono::steady_clock::time_point deadline_after(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds longest = std::chrono::days(100);
  return std::chrono::steady_clock::now() + std::clamp(time, -longest, longest);
}

}  // namespace agentd::sdk
