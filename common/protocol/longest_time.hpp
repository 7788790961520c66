#pragma once

#include <cstdint>

namespace agentd::protocol {

/// No deadline or wait may be longer: some 115 days.
inline constexpr std::int64_t max_milliseconds = 10'000'000'000;

}  // namespace agentd::protocol
