#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/async/owned_count.hpp"

namespace agentd::async {

/// How long the turns of a loop ran, and so kept others waiting: a histogram. Owned by the loop; any thread
/// may read it.
struct TurnTimes {
  using Duration = std::chrono::nanoseconds;

  /// The longest turn that each count but the last is for; the last has all that were longer.
  static constexpr std::array<Duration, 7> bounds{
      std::chrono::milliseconds(1),  std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
      std::chrono::milliseconds(50), std::chrono::milliseconds(100), std::chrono::milliseconds(500),
      std::chrono::seconds(1)};

  std::array<OwnedCount, bounds.size() + 1> counts{};

  [[nodiscard]] Duration sum() const { return std::chrono::nanoseconds(nanoseconds_); }

  void add(Duration time) {
    std::size_t place = 0;
    while (place < bounds.size() && time > bounds[place]) ++place;
    ++counts[place];
    nanoseconds_ += static_cast<std::uint64_t>(time.count());
  }

private:
  OwnedCount nanoseconds_;
};

}  // namespace agentd::async
