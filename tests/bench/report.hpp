#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

/// How the programs of the benchmark say what they measured: one line of JSON.
namespace agentd::bench {

using Clock = std::chrono::steady_clock;

[[nodiscard]] inline double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// Round trips, in microseconds.
class Times {
public:
  template <typename Work>
  void measure(Work work) {
    const auto start = Clock::now();
    work();
    times_.push_back(microseconds_since(start));
  }
  /// `share`: of a round trip, what is told.
  void print(double share = 1) {
    std::sort(times_.begin(), times_.end());
    std::printf("{\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f}\n", at(0.5) * share, at(0.99) * share,
                at(0.999) * share);
  }

private:
  [[nodiscard]] double at(double quantile) const {
    return times_[static_cast<std::size_t>(static_cast<double>(times_.size() - 1) * quantile)];
  }

  std::vector<double> times_;
};

inline void print_rate(int count, Clock::time_point start) {
  std::printf("{\"per_second\":%.0f}\n", count / microseconds_since(start) * 1e6);
}

}  // namespace agentd::bench
