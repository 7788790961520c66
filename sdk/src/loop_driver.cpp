#include "sdk/src/loop_driver.hpp"

#include <algorithm>

#include "sdk/src/outside_context.hpp"

namespace agentd::sdk {
namespace {

constexpr std::chrono::milliseconds loan{1};
/// What a thread waits for may also be settled by another one, which does not wake the loop.
constexpr std::chrono::milliseconds waiting_turn{100};
constexpr std::chrono::milliseconds longest_turn{60'000};

/// Makes this thread the driver of the loop, and callbacks on it know where they are.
class Driving {
public:
  Driving(std::atomic<std::thread::id>& driver, detail::CallContext* context)
      : driver_(driver), scope_(context) {
    driver_ = std::this_thread::get_id();
  }
  ~Driving() { driver_ = std::thread::id(); }
  Driving(const Driving&) = delete;
  Driving& operator=(const Driving&) = delete;

private:
  std::atomic<std::thread::id>& driver_;
  detail::ContextScope scope_;
};

}  // namespace

LoopDriver::LoopDriver(async::Loop& loop) : loop_(loop), context_(std::make_shared<LoopContext>(loop)) {}

void LoopDriver::start() {
  std::thread([this] { run(); }).detach();
}

bool LoopDriver::lent() const {
  const auto until = lent_until_.load(std::memory_order_relaxed);
  return until != Clock::time_point::min() && Clock::now() < until;
}

void LoopDriver::lend() {
  borrower_ = std::this_thread::get_id();
  lent_until_.store(Clock::now() + loan, std::memory_order_relaxed);
}

void LoopDriver::posted() {
  if (borrower_.load(std::memory_order_relaxed) != std::this_thread::get_id() && lent()) take_back();
}

void LoopDriver::run() {
  while (true) {
    {
      std::unique_lock lock(nap_mutex_);
      while (lent()) nap_.wait_until(lock, lent_until_.load());
    }
    turn_while_nobody_asks();
  }
}

void LoopDriver::turn_while_nobody_asks() {
  const std::lock_guard lock(driving_);
  const Driving driving(driver_, context_.get());
  while (!lent()) loop_.run_once(longest_turn);
}

bool LoopDriver::take_loop() {
  // Where it is lent, its own thread is about to leave it.
  do {
    if (driving_.try_lock()) return true;
    std::this_thread::yield();
  } while (lent() && waiting_.load() == 1);
  return false;
}

void LoopDriver::wait(detail::Cell& cell, std::optional<Clock::time_point> limit) {
  waiting_.fetch_add(1);
  const bool drives = take_loop();
  if (drives) {
    turn_until_readable(cell, limit);
  } else {
    take_back();
    cell.block_until(limit);
  }
  if (waiting_.fetch_sub(1) == 1) {
    lend();
  } else {
    // Others wait, and none of them turns the loop.
    take_back();
  }
  if (drives) driving_.unlock();
}

void LoopDriver::turn_until_readable(detail::Cell& cell, std::optional<Clock::time_point> limit) noexcept {
  const Driving driving(driver_, context_.get());
  while (!cell.readable()) {
    const auto now = Clock::now();
    const auto left = limit ? std::chrono::ceil<std::chrono::milliseconds>(*limit - now) : waiting_turn;
    // One turn at least: who asks again and again, and never waits, keeps the loop's own thread away.
    loop_.run_once(std::clamp(left, std::chrono::milliseconds(0), waiting_turn));
    if (limit && Clock::now() >= *limit) return;
  }
}

void LoopDriver::take_back() {
  {
    const std::lock_guard lock(nap_mutex_);
    lent_until_ = Clock::time_point::min();
  }
  nap_.notify_one();
}

}  // namespace agentd::sdk
