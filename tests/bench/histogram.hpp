#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace agentd::bench {

/// How often each time came, within 3 %, however many there were: times are counted in buckets that grow with
/// them. In any unit that counts from 0.
class Histogram {
public:
  void add(std::uint64_t value) {
    ++counts_[bucket_of(value)];
    ++total_;
  }
  /// The longest of that share of the shortest; 0 where nothing came.
  [[nodiscard]] std::uint64_t at(double quantile) const {
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(total_) * quantile);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen > wanted || (seen == total_ && total_ > 0)) return longest_in(bucket);
    }
    return 0;
  }

private:
  static constexpr unsigned detail = 5;
  static constexpr std::uint64_t steps = 1U << detail;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < steps) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - detail;
    return (shift + 1) * steps + ((value >> shift) - steps);
  }
  static std::uint64_t longest_in(std::size_t bucket) {
    if (bucket < steps) return bucket;
    const std::uint64_t shift = bucket / steps - 1;
    return ((bucket % steps + steps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - detail + 1) * steps> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace agentd::bench
