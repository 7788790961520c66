#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/async/timers.hpp"
#include "common/async/turn_times.hpp"

namespace agentd::async {

/// One event loop: the sockets, timers and state of one thread.
///
/// A *turn* runs what became ready, but begins nothing more once that has taken long, then the timers that
/// are due, then what asked to run at the turn's end: that is where a connection writes, once, all that the
/// turn produced.
///
/// Owned by whoever runs its thread, which outlives all that uses the loop. `post` and `stop` may be
/// called from any thread; everything else belongs to the loop's thread (or to the time before
/// `run`). Handlers must not block and must not throw: what escapes leaves `run`.
class Loop {
public:
  using Clock = std::chrono::steady_clock;
  using Work = std::function<void()>;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] boost::asio::io_context& context() { return context_; }

  /// Runs `work` on the loop's thread, in the order posted. Takes no lock; what is posted before the loop
  /// looks wakes it once.
  void post(Work work);
  /// What was posted and runs now has more to do, and has had the time that a turn gives: it runs again
  /// before what is behind it, after others had theirs.
  void run_again() { again_ = true; }
  /// For how long a turn begins further handlers, or further work that was posted.
  static constexpr std::chrono::microseconds handlers_time{100};

  /// Runs `work` when this turn's handlers are done.
  void at_turn_end(Work work) { turn_end_.push_back(std::move(work)); }

  /// The time, read once a turn: reading a clock costs as much as a look-up. A turn is short, but one
  /// thing in it may have taken long; whoever has waited for it calls `look_at_clock`.
  [[nodiscard]] Clock::time_point now() {
    if (!knows_time_) look_at_clock();
    return now_;
  }
  /// The same moment on the clock of people.
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() {
    const auto now = this->now();
    return wall_offset_ +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(now.time_since_epoch());
  }
  Clock::time_point look_at_clock();

  /// See TimerWheel::start.
  void start(Timer& timer, Clock::time_point when, Timer::Callback callback) {
    timers_.start(timer, when, callback);
  }

  /// How many turns have begun.
  [[nodiscard]] std::uint64_t turns() const { return turns_; }

  /// How long each turn ran; what it waited, or polled for nothing, is left out. A turn that began by waiting
  /// counts from the moment when it first asked for the time, so what is woken by a socket asks for it first.
  [[nodiscard]] const TurnTimes& turn_times() const { return turn_times_; }

  /// Before it blocks, the loop polls for so long, and yields the core to others in between, where `wanted`
  /// holds: asked on the loop, once each time.
  void spin(std::chrono::microseconds limit, std::function<bool()> wanted);

  /// Turns until `stop`, one that came before included. Keeps what is posted meanwhile for a later `run`.
  void run();
  /// One turn; waits for something to do `limit` at most.
  void run_once(std::chrono::milliseconds limit);
  void stop();

  /// Drops what was posted, or was to run at the end of a turn, and has not run. When nobody turns the loop.
  void discard();

private:
  /// What another thread has posted, in front of what was posted before it.
  struct Posted {
    Work work;
    Posted* before = nullptr;
  };

  void turn(std::optional<Clock::time_point> block_until);
  void drain_inbox();
  /// After the call `before` is the one behind it.
  [[nodiscard]] Posted* take_inbox();
  /// Answers how many handlers ran, and when the first one began.
  std::size_t run_ready(Clock::time_point& began);
  std::size_t spin_for_ready(Clock::time_point& began);
  void wait_for_ready(std::optional<Clock::time_point> until);

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> alive_;
  TimerWheel timers_;
  bool knows_time_ = false;
  Clock::time_point now_;
  /// What `now_` was at first in this turn.
  Clock::time_point first_now_;
  std::uint64_t turns_ = 0;
  TurnTimes turn_times_;
  /// What the clock of people says where the other says 0; asked once a turn, since it may be set.
  std::chrono::system_clock::time_point wall_offset_;
  std::vector<Work> turn_end_;
  std::chrono::microseconds spin_limit_{0};
  std::function<bool()> spin_wanted_;
  std::atomic<bool> stopped_{false};
  /// The latest; null where the loop has taken all. Whoever puts the first one there wakes the loop.
  std::atomic<Posted*> inbox_{nullptr};
  /// Taken out of the inbox, and not run yet: the first one, with the one behind it in `before`.
  Posted* draining_ = nullptr;
  /// The one that runs stays in front.
  bool again_ = false;
};

}  // namespace agentd::async
