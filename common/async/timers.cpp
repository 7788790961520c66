#include "common/async/timers.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace agentd::async {
namespace {

/// A callback costs at least as much as so many moves.
constexpr std::size_t moves_per_step = 16;
/// With each of these that what is due has waited, a turn's share grows by itself, up to so many times.
constexpr std::chrono::milliseconds patience{50};
constexpr std::size_t most_shares = 4;

/// The first used slot after `here`; nothing where none is.
template <std::size_t Words>
std::optional<unsigned> next_used(const std::array<std::uint64_t, Words>& used, unsigned here) {
  const unsigned from = here + 1;
  for (unsigned word = from / 64; word < Words; ++word) {
    std::uint64_t bits = used[word];
    if (word == from / 64) bits &= ~std::uint64_t{0} << (from % 64);
    if (bits) return word * 64 + static_cast<unsigned>(std::countr_zero(bits));
  }
  return std::nullopt;
}

}  // namespace

void Timer::cancel() {
  if (wheel_) wheel_->unlink(*this);
}

TimerWheel::TimerWheel(Clock::time_point start) : origin_(start) {}

std::uint64_t TimerWheel::tick_of(Clock::time_point when) const {
  if (when <= origin_) return 0;
  // Rounded up: a timer never fires early.
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(when - origin_).count());
}

void TimerWheel::start(Timer& timer, Clock::time_point when, Timer::Callback callback) {
  timer.cancel();
  timer.wheel_ = this;
  timer.callback_ = callback;
  // What is due already fires on the next tick, after what runs now.
  timer.tick_ = std::clamp(tick_of(when), now_ + 1, last_tick);
  ++pending_;
  place(timer);
}

void TimerWheel::place(Timer& timer) {
  // The level is that of the highest digit (base 256) in which the time differs from now.
  const std::uint64_t differs = timer.tick_ ^ now_;
  const unsigned level =
      differs == 0
          ? 0
          : std::min(levels - 1, (63U - static_cast<unsigned>(std::countl_zero(differs))) / slot_bits);
  const auto slot = static_cast<unsigned>((timer.tick_ >> (slot_bits * level)) & (slots - 1));
  Timer*& head = levels_[level].heads[slot];
  timer.previous_ = nullptr;
  timer.next_ = head;
  if (head) head->previous_ = &timer;
  head = &timer;
  levels_[level].used[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void TimerWheel::unlink(Timer& timer) {
  if (timer.previous_) {
    timer.previous_->next_ = timer.next_;
  } else {
    for (Level& level : levels_) {
      const auto shift = slot_bits * static_cast<unsigned>(&level - levels_.data());
      const auto slot = static_cast<unsigned>((timer.tick_ >> shift) & (slots - 1));
      if (level.heads[slot] != &timer) continue;
      level.heads[slot] = timer.next_;
      if (!timer.next_) level.used[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
      break;
    }
  }
  if (timer.next_) timer.next_->previous_ = timer.previous_;
  timer.next_ = timer.previous_ = nullptr;
  timer.wheel_ = nullptr;
  --pending_;
}

Timer* TimerWheel::first_here(unsigned& level) const {
  for (level = levels; level-- > 0;) {
    if (Timer* const timer = levels_[level].heads[digit(level)]) return timer;
  }
  return nullptr;
}

std::optional<TimerWheel::Clock::time_point> TimerWheel::next_expiry() const {
  if (pending_ == 0) return std::nullopt;
  unsigned level = 0;
  if (first_here(level)) return origin_ + std::chrono::milliseconds(now_);
  for (level = 0; level < levels; ++level) {
    const unsigned shift = slot_bits * level;
    const unsigned here = digit(level);
    if (const auto slot = next_used(levels_[level].used, here)) {
      return origin_ + std::chrono::milliseconds(((now_ >> shift) - here + *slot) << shift);
    }
  }
  return std::nullopt;
}

bool TimerWheel::run_here(std::size_t& moves) {
  unsigned level = 0;
  while (Timer* const timer = first_here(level)) {
    const std::size_t cost = level == 0 ? moves_per_step : 1;
    if (moves < cost) return false;
    moves -= cost;
    const Timer::Callback callback = timer->callback_;
    unlink(*timer);
    if (level == 0) {
      callback(*timer);
      continue;
    }
    timer->wheel_ = this;
    ++pending_;
    place(*timer);
  }
  return true;
}

void TimerWheel::advance(Clock::time_point time, std::size_t most) {
  if (time < origin_) return;
  std::size_t moves =
      std::min(most, std::numeric_limits<std::size_t>::max() / moves_per_step) * moves_per_step;
  // Rounded down, against the deadlines' rounding up.
  const auto target =
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(time - origin_).count());
  while (run_here(moves) && now_ < target) {
    // Straight to the next tick that has work: an empty stretch costs nothing.
    const auto next = next_expiry();
    const std::uint64_t next_tick =
        next ? static_cast<std::uint64_t>(
                   std::chrono::duration_cast<std::chrono::milliseconds>(*next - origin_).count())
             : target;
    now_ = std::min(next_tick, target);
  }
}

void TimerWheel::catch_up(Clock::time_point now, std::size_t share) {
  const auto due = next_expiry();
  if (!due || *due > now) return advance(now, share);
  const auto waited = static_cast<std::size_t>((now - *due) / patience);
  advance(now, share * std::min(most_shares, 1 + waited));
}

}  // namespace agentd::async
