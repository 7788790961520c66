#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>

namespace agentd::net {

/// How long to wait before dialling again: 50 ms, doubling to 1 s, less a random part of up to a
/// fifth, so that many clients of one node do not come back at the same moment.
class Backoff {
public:
  [[nodiscard]] std::chrono::milliseconds next() {
    const auto wait = delay_;
    delay_ = std::min(delay_ * 2, longest);
    std::uniform_int_distribution<long> part(0, static_cast<long>(wait.count()) / 5);
    return wait - std::chrono::milliseconds(part(random_));
  }
  void reset() { delay_ = shortest; }

  static constexpr std::chrono::milliseconds shortest{50};
  static constexpr std::chrono::milliseconds longest{1000};

private:
  std::chrono::milliseconds delay_ = shortest;
  std::minstd_rand random_{std::random_device{}()};
};

/// Whether to dial a node again for which something waits, when, and for how long.
///
/// That it accepts a connection does not count as meeting it: what listens there may let everybody in, and
/// hang up on the first frame. It is met once something of it was understood, or it answered a ping. Who is
/// met and soon lost, again and again, is not given up, but dialled ever less often.
class Redial {
public:
  using Clock = std::chrono::steady_clock;

  /// Without `patience` it is never given up.
  explicit Redial(std::optional<std::chrono::milliseconds> patience) : patience_(patience) {}

  /// Something waits for a node that has not been met; from the first such moment on there is patience.
  void begin(Clock::time_point now) {
    if (patience_ && !over_at_) over_at_ = now + *patience_;
  }
  /// Nothing waits any more.
  void end() { over_at_.reset(); }
  void met(Clock::time_point now) {
    met_at_ = now;
    over_at_.reset();
  }
  /// By the connection that there is.
  [[nodiscard]] bool is_met() const { return met_at_.has_value(); }
  /// It was silent for so long that there is no patience left.
  void tire(Clock::time_point now) {
    if (patience_) over_at_ = now;
  }
  /// There is no connection any more. One that was of use for as long as the longest pause starts the
  /// pauses anew.
  void lost(Clock::time_point now) {
    if (met_at_ && now - *met_at_ >= Backoff::longest) backoff_.reset();
    met_at_.reset();
  }
  /// Before it is dialled again; nothing where it is to be given up.
  [[nodiscard]] std::optional<std::chrono::milliseconds> pause(Clock::time_point now) {
    begin(now);
    if (over_at_ && now >= *over_at_) return std::nullopt;
    return backoff_.next();
  }
  /// When it is given up, unless it is met.
  [[nodiscard]] const std::optional<Clock::time_point>& over_at() const { return over_at_; }

private:
  std::optional<std::chrono::milliseconds> patience_;
  std::optional<Clock::time_point> over_at_;
  std::optional<Clock::time_point> met_at_;
  Backoff backoff_;
};

/// Whether a connection on which something waits is still alive: asked now and then, it says when to
/// send a ping, and when the other side is to be taken for dead.
class Liveness {
public:
  using Clock = std::chrono::steady_clock;
  enum class Advice { fine, ping, dead };

  /// Something begins to wait on a connection where nothing did.
  void begin(Clock::time_point now) { heard(now); }
  void heard(Clock::time_point now) {
    last_heard_ = now;
    pinged_ = false;
  }
  [[nodiscard]] Advice check(Clock::time_point now) {
    if (pinged_) return now - pinged_at_ >= answer_limit ? Advice::dead : Advice::fine;
    if (now - last_heard_ < quiet_limit) return Advice::fine;
    pinged_ = true;
    pinged_at_ = now;
    return Advice::ping;
  }

  static constexpr std::chrono::seconds quiet_limit{3};
  static constexpr std::chrono::seconds answer_limit{10};

private:
  Clock::time_point last_heard_;
  Clock::time_point pinged_at_;
  bool pinged_ = false;
};

}  // namespace agentd::net
