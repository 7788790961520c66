#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace agentd::http {

/// How something long comes along: whether it keeps a rate, on average since it began.
class Pace {
public:
  using Clock = std::chrono::steady_clock;

  /// `bytes`: how far it is already.
  void begin(Clock::time_point now, std::size_t bytes = 0) {
    began_ = now;
    bytes_ = bytes;
  }
  void end() { began_.reset(); }
  [[nodiscard]] bool running() const { return began_.has_value(); }
  /// @pre running()
  [[nodiscard]] Clock::duration taken(Clock::time_point now) const { return now - *began_; }
  /// Whether it is as far as it should be. @pre running()
  [[nodiscard]] bool keeps(std::size_t per_second, std::size_t bytes, Clock::time_point now) const {
    const std::chrono::duration<double> seconds = taken(now);
    return static_cast<double>(bytes - bytes_) >= seconds.count() * static_cast<double>(per_second);
  }

private:
  std::optional<Clock::time_point> began_;
  std::size_t bytes_ = 0;
};

}  // namespace agentd::http
