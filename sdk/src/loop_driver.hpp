#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "common/async/loop.hpp"
#include "common/vocabulary/cell.hpp"
#include "common/vocabulary/context.hpp"

namespace agentd::sdk {

/// Who turns the session's loop: a thread of its own, or, while it waits for a message, the thread that
/// waits. A call and its answer then need no second thread, and no wake-up of one.
///
/// A thread that has turned the loop leaves it free for a millisecond, since it is likely to come
/// back; then, or at once where others want something of the loop, its own thread takes over.
/// Thread-safe.
class LoopDriver {
public:
  explicit LoopDriver(async::Loop& loop);

  /// Starts the loop's own thread, which runs as long as the process.
  void start();
  /// Waits until the cell is readable, `limit` at most, and turns the loop meanwhile where it is free.
  void wait(detail::Cell& cell, std::optional<detail::Cell::Clock::time_point> limit);
  /// Something was posted to the loop: it does not lie there while the loop is left free for another.
  void posted();
  /// The loop's own thread turns it from here on: for whoever is about to wait in another way.
  void take_back();
  /// Whether this thread is the one that turns the loop.
  [[nodiscard]] bool on_loop() const { return driver_.load() == std::this_thread::get_id(); }

private:
  using Clock = async::Loop::Clock;

  [[noreturn]] void run();
  void turn_while_nobody_asks();
  void turn_until_readable(detail::Cell& cell, std::optional<Clock::time_point> limit) noexcept;
  [[nodiscard]] bool take_loop();
  [[nodiscard]] bool lent() const;
  void lend();

  async::Loop& loop_;
  const std::shared_ptr<detail::CallContext> context_;
  std::atomic<std::thread::id> driver_{};
  /// Held by whoever turns the loop.
  std::mutex driving_;
  std::atomic<int> waiting_{0};
  /// Until then the loop's own thread leaves the loop to the borrower.
  std::atomic<Clock::time_point> lent_until_{Clock::time_point::min()};
  std::atomic<std::thread::id> borrower_{};
  std::mutex nap_mutex_;
  std::condition_variable nap_;
};

}  // namespace agentd::sdk
