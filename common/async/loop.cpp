#include "common/async/loop.hpp"

#include <memory>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

namespace agentd::async {
namespace {

/// How many handlers a turn runs at most, for `Loop::handlers_time`: what the turn produces leaves at its
/// end, and whoever waits for it can be at work meanwhile.
constexpr std::size_t handlers_per_turn = 128;
/// How many timers a turn fires, or sixteen times as many it moves nearer: the others are late by some turns.
/// Where they are later than that, it is up to four times as many, which take a few milliseconds.
constexpr std::size_t timers_per_turn = 512;

}  // namespace

Loop::Loop() : alive_(boost::asio::make_work_guard(context_)), timers_(Clock::now()) {}

Loop::~Loop() { discard(); }

void Loop::discard() {
  turn_end_.clear();
  for (Posted* left : {std::exchange(draining_, nullptr), take_inbox()}) {
    while (left) delete std::exchange(left, left->before);
  }
}

void Loop::post(Work work) {
  auto* const posted = new Posted{std::move(work)};
  Posted* before = inbox_.load(std::memory_order_relaxed);
  do {
    posted->before = before;
  } while (
      !inbox_.compare_exchange_weak(before, posted, std::memory_order_release, std::memory_order_relaxed));
  if (!before) boost::asio::post(context_, [this] { drain_inbox(); });
}

/// All that is there, the first one in front.
Loop::Posted* Loop::take_inbox() {
  Posted* first = nullptr;
  for (Posted* left = inbox_.exchange(nullptr, std::memory_order_acquire); left;) {
    Posted* const before = left->before;
    left->before = first;
    first = left;
    left = before;
  }
  return first;
}

void Loop::drain_inbox() {
  if (!draining_) draining_ = take_inbox();
  const auto until = now() + handlers_time;
  while (draining_) {
    std::unique_ptr<Posted> next(std::exchange(draining_, draining_->before));
    next->work();
    if (std::exchange(again_, false)) {
      next->before = draining_;
      draining_ = next.release();
      break;
    }
    if (Clock::now() >= until) break;
  }
  // Where some came meanwhile, they have woken the loop themselves.
  if (draining_) boost::asio::post(context_, [this] { drain_inbox(); });
}

void Loop::spin(std::chrono::microseconds limit, std::function<bool()> wanted) {
  spin_limit_ = limit;
  spin_wanted_ = std::move(wanted);
}

void Loop::run() {
  // A stop that came before this is not lost: it ends this run.
  while (!stopped_.exchange(false)) turn(std::nullopt);
}

void Loop::run_once(std::chrono::milliseconds limit) { turn(Clock::now() + limit); }

void Loop::stop() {
  stopped_ = true;
  boost::asio::post(context_, [] {});
}

std::size_t Loop::run_ready(Clock::time_point& began) {
  began = Clock::now();
  const auto until = began + handlers_time;
  std::size_t ran = 0;
  while (ran < handlers_per_turn && context_.poll_one() != 0) {
    ++ran;
    if (Clock::now() >= until) break;
  }
  return ran;
}

std::size_t Loop::spin_for_ready(Clock::time_point& began) {
  if (spin_limit_.count() == 0 || !spin_wanted_ || !spin_wanted_()) return 0;
  const auto until = Clock::now() + spin_limit_;
  do {
    if (const auto ran = run_ready(began)) return ran;
    // Whoever waits for this core is perhaps the one who is waited for.
    std::this_thread::yield();
  } while (Clock::now() < until);
  return 0;
}

Loop::Clock::time_point Loop::look_at_clock() {
  now_ = Clock::now();
  if (!std::exchange(knows_time_, true)) {
    first_now_ = now_;
    wall_offset_ = std::chrono::system_clock::now() -
                   std::chrono::duration_cast<std::chrono::system_clock::duration>(now_.time_since_epoch());
  }
  return now_;
}

void Loop::wait_for_ready(std::optional<Clock::time_point> until) {
  const auto expiry = timers_.next_expiry();
  if (expiry && (!until || *expiry < *until)) until = expiry;
  if (until) {
    context_.run_one_until(*until);
  } else {
    context_.run_one();
  }
}

void Loop::turn(std::optional<Clock::time_point> block_until) {
  ++turns_;
  knows_time_ = false;
  Clock::time_point began;
  const bool ready = run_ready(began) != 0 || spin_for_ready(began) != 0;
  if (!ready) wait_for_ready(block_until);
  timers_.catch_up(look_at_clock(), timers_per_turn);
  // What runs here may ask for another go: that one comes in this turn too, so nothing produced in
  // a turn waits for the next wake-up.
  while (!turn_end_.empty()) {
    for (Work& work : std::exchange(turn_end_, {})) work();
  }
  turn_times_.add(Clock::now() - (ready ? began : first_now_));
  knows_time_ = false;
}

}  // namespace agentd::async
