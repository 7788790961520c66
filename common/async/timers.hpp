#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace agentd::async {

class TimerWheel;

/// One pending expiry, embedded in what it belongs to; leaves its wheel when destroyed.
/// Not copied, not moved: the wheel points to it.
class Timer {
public:
  using Callback = void (*)(Timer&);

  Timer() = default;
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  [[nodiscard]] bool pending() const { return wheel_ != nullptr; }
  void cancel();

private:
  friend class TimerWheel;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  TimerWheel* wheel_ = nullptr;
  std::uint64_t tick_ = 0;
  Callback callback_ = nullptr;
};

/// All deadlines of one event loop: a hierarchical timing wheel (Varghese and Lauck), ticks of one
/// millisecond. Starting and cancelling cost the same however many are pending, and neither
/// allocates. A timer never fires early; it fires on the first `advance` past its time.
///
/// Owned by a loop and touched by that loop's thread only. Holds no clock of its own: who owns it
/// asks `next_expiry`, sleeps, and calls `advance`. Timers must be gone before their wheel.
class TimerWheel {
public:
  using Clock = std::chrono::steady_clock;

  explicit TimerWheel(Clock::time_point start);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Starts `timer`, or moves it where it is pending already.
  void start(Timer& timer, Clock::time_point when, Timer::Callback callback);

  /// When to call `advance` next, at the latest; nothing where no timer is pending.
  [[nodiscard]] std::optional<Clock::time_point> next_expiry() const;

  /// Runs the callbacks of the timers that are due, in the order of their ticks. A callback may start and
  /// cancel any timer, and destroy its own. It stops after `most` steps: a callback is one, and sixteen
  /// timers moved to a finer level are one, which takes no longer. Then `next_expiry` is not later than
  /// `now`, and the next `advance` goes on.
  void advance(Clock::time_point now, std::size_t most = std::numeric_limits<std::size_t>::max());

  /// As `advance` with `share` steps, but the longer what is due has waited the more of them, four times as
  /// many at most: a wheel that is late catches up, and the loop still gets on with what else it has to do.
  void catch_up(Clock::time_point now, std::size_t share);

private:
  friend class Timer;
  static constexpr unsigned slot_bits = 8;
  static constexpr unsigned slots = 1U << slot_bits;
  static constexpr unsigned levels = 5;
  /// 34 years after the start: later than that is as good as never.
  static constexpr std::uint64_t last_tick = (std::uint64_t{1} << (slot_bits * levels)) - 1;

  struct Level {
    std::array<Timer*, slots> heads{};
    std::array<std::uint64_t, slots / 64> used{};
  };

  [[nodiscard]] std::uint64_t tick_of(Clock::time_point when) const;
  void place(Timer& timer);
  void unlink(Timer& timer);
  /// A timer in a slot that now is in, the coarsest such level first: there it belongs further down, and in
  /// the finest one it is due. Null where there is none.
  [[nodiscard]] Timer* first_here(unsigned& level) const;
  /// Moves and fires what is in these slots. False where so many moves did not do.
  bool run_here(std::size_t& moves);
  /// The slot that now is in.
  [[nodiscard]] unsigned digit(unsigned level) const {
    return static_cast<unsigned>((now_ >> (slot_bits * level)) & (slots - 1));
  }

  Clock::time_point origin_;
  std::uint64_t now_ = 0;
  std::uint64_t pending_ = 0;
  std::array<Level, levels> levels_;
};

}  // namespace agentd::async
