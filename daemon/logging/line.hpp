#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "daemon/logging/log.hpp"

namespace agentd::logging {

using WallTime = std::chrono::system_clock::time_point;

/// RFC 3339 in UTC, with microseconds.
[[nodiscard]] std::string format_time(WallTime time);

/// `2026-01-31T12:00:00.000001Z warn  message key=value other="two words"`, without the line's end.
[[nodiscard]] std::string text_line(WallTime time, Level level, std::string_view message,
                                    Logger::Fields fields);

/// `{"time":…,"level":…,"message":…,"key":value}`, without the line's end.
[[nodiscard]] std::string json_line(WallTime time, Level level, std::string_view message,
                                    Logger::Fields fields);

}  // namespace agentd::logging
