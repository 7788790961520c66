#include <array>

#include "common/protocol/values.hpp"

namespace agentd::protocol {
namespace {

using namespace std::chrono;

/// Writes `value` into the `width` characters from `to` on, with zeros in front.
void put(char* to, unsigned width, unsigned value) {
  for (unsigned i = width; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

/// `2025-01-31T23:59:59.123456Z`, of which the microseconds are filled in later.
using Stamp = std::array<char, 27>;
constexpr std::size_t microseconds_at = 20;

Stamp stamp_of(sys_seconds second) {
  const sys_days day = floor<days>(second);
  const year_month_day date(day);
  const hh_mm_ss time(second - day);
  Stamp stamp = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':',
                 '0', '0', ':', '0', '0', '.', '0', '0', '0', '0', '0', '0', 'Z'};
  put(&stamp[0], 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put(&stamp[5], 2, static_cast<unsigned>(date.month()));
  put(&stamp[8], 2, static_cast<unsigned>(date.day()));
  put(&stamp[11], 2, static_cast<unsigned>(time.hours().count()));
  put(&stamp[14], 2, static_cast<unsigned>(time.minutes().count()));
  put(&stamp[17], 2, static_cast<unsigned>(time.seconds().count()));
  return stamp;
}

}  // namespace

void append_timestamp(std::string& out, system_clock::time_point time) {
  // Stamps come in bursts within one second, and the calendar is the dear part.
  thread_local sys_seconds cached_second{seconds(0)};
  thread_local Stamp cached = stamp_of(cached_second);
  const auto second = floor<seconds>(time);
  if (second != cached_second) {
    cached = stamp_of(second);
    cached_second = second;
  }
  Stamp stamp = cached;
  put(&stamp[microseconds_at], 6, static_cast<unsigned>(floor<microseconds>(time - second).count()));
  out.append(stamp.data(), stamp.size());
}

}  // namespace agentd::protocol
