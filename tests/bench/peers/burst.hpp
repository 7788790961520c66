#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace agentd::bench {

/// So many calls in flight, each of which is followed by the next when it is answered. Thread-safe.
class Burst {
public:
  /// `begin` makes a call, which tells `answered` of its end.
  Burst(int count, std::function<void()> begin)
      : begin_(std::move(begin)), left_(count), unanswered_(count) {}

  void run(int window) {
    const int first = std::min(window, unanswered_);
    for (int i = 0; i < first; ++i) next();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return unanswered_ == 0; });
  }
  void answered() {
    next();
    const std::lock_guard lock(mutex_);
    if (--unanswered_ == 0) done_.notify_one();
  }

private:
  void next() {
    if (left_.fetch_sub(1) > 0) begin_();
  }

  std::function<void()> begin_;
  std::atomic<int> left_;
  std::mutex mutex_;
  std::condition_variable done_;
  int unanswered_;
};

}  // namespace agentd::bench
