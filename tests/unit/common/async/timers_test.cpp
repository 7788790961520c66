#include "common/async/timers.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using agentd::async::Timer;
using agentd::async::TimerWheel;
using Time = TimerWheel::Clock::time_point;

namespace {

const Time start{std::chrono::hours(1)};

struct Probe : Timer {
  int fired = 0;
  std::function<void()> then;
};

void fire(Timer& timer) {
  auto& probe = static_cast<Probe&>(timer);
  ++probe.fired;
  // A copy: what runs may destroy the timer.
  if (const auto then = probe.then) then();
}

/// Advances as an event loop would: from one expiry to the next, never past `until`.
void run_until(TimerWheel& wheel, Time until) {
  while (const auto next = wheel.next_expiry()) {
    if (*next > until) break;
    wheel.advance(*next);
  }
  wheel.advance(until);
}

}  // namespace

TEST_CASE("a timer fires once, at its time, and not before") {
  TimerWheel wheel(start);
  Probe timer;
  CHECK_FALSE(wheel.next_expiry().has_value());
  wheel.start(timer, start + 10ms, fire);
  CHECK(timer.pending());
  wheel.advance(start + 10ms - 1ns);
  CHECK(timer.fired == 0);
  wheel.advance(start + 10ms);
  CHECK(timer.fired == 1);
  CHECK_FALSE(timer.pending());
  wheel.advance(start + 1h);
  CHECK(timer.fired == 1);
}

TEST_CASE("a time between two ticks is rounded up") {
  TimerWheel wheel(start);
  Probe timer;
  wheel.start(timer, start + 10ms + 1ns, fire);
  wheel.advance(start + 10ms + 2ns);
  CHECK(timer.fired == 0);
  wheel.advance(start + 11ms);
  CHECK(timer.fired == 1);
}

TEST_CASE("what is due already fires on the next tick") {
  TimerWheel wheel(start);
  wheel.advance(start + 5s);
  Probe timer;
  wheel.start(timer, start - 1h, fire);
  CHECK(timer.fired == 0);
  REQUIRE(wheel.next_expiry().has_value());
  run_until(wheel, start + 5s + 1ms);
  CHECK(timer.fired == 1);
}

TEST_CASE("a cancelled or destroyed timer does not fire") {
  TimerWheel wheel(start);
  Probe cancelled;
  wheel.start(cancelled, start + 1s, fire);
  cancelled.cancel();
  cancelled.cancel();
  {
    Probe gone;
    wheel.start(gone, start + 1s, fire);
  }
  CHECK_FALSE(wheel.next_expiry().has_value());
  wheel.advance(start + 1h);
  CHECK(cancelled.fired == 0);
}

TEST_CASE("starting a pending timer moves it") {
  TimerWheel wheel(start);
  Probe timer;
  wheel.start(timer, start + 1s, fire);
  wheel.start(timer, start + 2s, fire);
  wheel.advance(start + 1500ms);
  CHECK(timer.fired == 0);
  wheel.start(timer, start + 1600ms, fire);
  wheel.advance(start + 3s);
  CHECK(timer.fired == 1);
}

TEST_CASE("a timer may start itself again when it fires") {
  TimerWheel wheel(start);
  Probe timer;
  Time next = start;
  timer.then = [&] { wheel.start(timer, next += 100ms, fire); };
  wheel.start(timer, next += 100ms, fire);
  run_until(wheel, start + 1s);
  CHECK(timer.fired == 10);
  CHECK(timer.pending());
}

TEST_CASE("a callback may cancel and destroy others of the same tick, and itself") {
  TimerWheel wheel(start);
  std::vector<std::unique_ptr<Probe>> timers;
  int fired = 0;
  for (int i = 0; i < 5; ++i) {
    timers.push_back(std::make_unique<Probe>());
    timers.back()->then = [&] {
      ++fired;
      timers.clear();
    };
    wheel.start(*timers.back(), start + 3ms, fire);
  }
  wheel.advance(start + 3ms);
  CHECK(fired == 1);
  CHECK_FALSE(wheel.next_expiry().has_value());
}

TEST_CASE("a callback may cancel and start a timer of the same tick") {
  TimerWheel wheel(start);
  Probe a;
  Probe b;
  a.then = [&] { b.cancel(); };
  b.then = [&] { a.cancel(); };
  wheel.start(a, start + 3ms, fire);
  wheel.start(b, start + 3ms, fire);
  wheel.advance(start + 3ms);
  CHECK(a.fired + b.fired == 1);
}

TEST_CASE("a deadline beyond all reckoning is as good as never") {
  TimerWheel wheel(start);
  Probe never;
  wheel.start(never, Time::max(), fire);
  REQUIRE(wheel.next_expiry().has_value());
  run_until(wheel, start + std::chrono::hours(24 * 365 * 30));
  CHECK(never.fired == 0);
}

TEST_CASE("a day's, a month's and a year's deadline fire on time after one long idle stretch each") {
  TimerWheel wheel(start);
  for (const auto far : {std::chrono::hours(24), std::chrono::hours(24 * 30), std::chrono::hours(24 * 365)}) {
    Probe timer;
    wheel.start(timer, start + far, fire);
    run_until(wheel, start + far - 1ms);
    CHECK(timer.fired == 0);
    run_until(wheel, start + far);
    CHECK(timer.fired == 1);
  }
}

TEST_CASE("an idle stretch crosses every digit of the wheel in one step") {
  TimerWheel wheel(start);
  Probe timer;
  for (const std::uint64_t tick : {255ULL, 256ULL, 257ULL, 65535ULL, 65536ULL, 16777215ULL, 16777216ULL}) {
    const Time when = start + std::chrono::milliseconds(tick);
    timer.fired = 0;
    wheel.start(timer, when, fire);
    wheel.advance(when - 1ms);
    CHECK(timer.fired == 0);
    wheel.advance(when);
    CHECK(timer.fired == 1);
  }
}

TEST_CASE("the wheel fires what a sorted list of deadlines would, whatever is started and cancelled") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
  std::mt19937 random(seed);
  const auto below = [&](std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
  };

  TimerWheel wheel(start);
  constexpr std::size_t count = 200;
  std::vector<std::unique_ptr<Probe>> timers(count);
  std::vector<Time> due(count);
  std::multimap<Time, std::size_t> model;
  Time now = start;
  const auto forget = [&](std::size_t i) {
    const auto [first, last] = model.equal_range(due[i]);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second == i) {
        model.erase(entry);
        return;
      }
    }
  };
  // Never early, and gone from the model when it fires.
  bool early = false;
  const auto fired = [&](std::size_t i) {
    early |= now < due[i];
    forget(i);
    if (below(9) == 0) {
      due[i] = now + std::chrono::microseconds(below(5'000'000));
      wheel.start(*timers[i], due[i], fire);
      model.emplace(due[i], i);
    }
  };
  for (std::size_t i = 0; i < count; ++i) {
    timers[i] = std::make_unique<Probe>();
    timers[i]->then = [&fired, i] { fired(i); };
  }
  for (int step = 0; step < 3000; ++step) {
    const std::size_t i = below(count - 1);
    switch (below(3)) {
      case 0:
      case 1: {
        const std::uint64_t reach[] = {2'000, 300'000, 70'000'000, 20'000'000'000, 3'000'000'000'000};
        if (timers[i]->pending()) forget(i);
        due[i] = now + std::chrono::microseconds(below(reach[below(4)]));
        wheel.start(*timers[i], due[i], fire);
        model.emplace(due[i], i);
        break;
      }
      case 2:
        if (timers[i]->pending()) forget(i);
        timers[i]->cancel();
        break;
      default: {
        const std::uint64_t gap[] = {500, 50'000, 100'000'000};
        now += std::chrono::microseconds(below(gap[below(2)]));
        wheel.advance(now);
        // All that was due a whole tick ago has fired; the rest has not.
        CHECK((model.empty() || model.begin()->first > now - 2ms));
        break;
      }
    }
    std::size_t pending = 0;
    for (const auto& timer : timers) pending += timer->pending() ? 1 : 0;
    REQUIRE(pending == model.size());
    const auto next = wheel.next_expiry();
    REQUIRE(next.has_value() == !model.empty());
    // Woken then, the loop is never late by more than a tick.
    if (next) REQUIRE(*next <= std::max(model.begin()->first, now) + 2ms);
  }
  CHECK_FALSE(early);
}

TEST_CASE("what an advance leaves for the next one stays due, and may still be cancelled") {
  TimerWheel wheel(start);
  std::vector<Probe> timers(10);
  Probe later;
  for (Probe& timer : timers) wheel.start(timer, start + 5ms, fire);
  wheel.start(later, start + 6ms, fire);
  const auto fired = [&] {
    int count = 0;
    for (const Probe& timer : timers) count += timer.fired;
    return count;
  };
  wheel.advance(start + 100ms, 4);
  CHECK(fired() == 4);
  REQUIRE(wheel.next_expiry().has_value());
  CHECK(*wheel.next_expiry() <= start + 100ms);
  for (Probe& timer : timers) {
    if (timer.fired != 0) continue;
    timer.cancel();
    break;
  }
  wheel.advance(start + 100ms, 5);
  CHECK(fired() == 9);
  CHECK(later.fired == 0);
  // Started meanwhile, it is due after what was left.
  Probe new_one;
  wheel.start(new_one, start, fire);
  wheel.advance(start + 101ms, 1);
  CHECK(later.fired + new_one.fired == 1);
  wheel.advance(start + 101ms);
  CHECK(later.fired == 1);
  CHECK(new_one.fired == 1);
  CHECK_FALSE(wheel.next_expiry().has_value());
}

TEST_CASE("in small steps every timer fires once, not early, and before those of later ticks") {
  TimerWheel wheel(start);
  std::mt19937 random(7);
  struct Dated : Timer {
    Time when;
    std::vector<Time>* fired = nullptr;
  };
  std::vector<Time> fired;
  std::vector<Dated> timers(3000);
  for (Dated& timer : timers) {
    // Over all levels that matter: from milliseconds to hours.
    timer.when = start + std::chrono::milliseconds(1 + random() % (1U << (8 + random() % 16)));
    timer.fired = &fired;
    wheel.start(timer, timer.when, [](Timer& due) {
      auto& dated = static_cast<Dated&>(due);
      dated.fired->push_back(dated.when);
    });
  }
  Time now = start;
  while (const auto next = wheel.next_expiry()) {
    now = std::max(now, *next + std::chrono::milliseconds(random() % 50));
    const auto before = fired.size();
    wheel.advance(now, 7);
    CHECK(fired.size() <= before + 7);
    if (fired.size() > before) CHECK(*std::max_element(fired.begin(), fired.end()) <= now);
  }
  CHECK(fired.size() == timers.size());
  CHECK(std::is_sorted(fired.begin(), fired.end()));
}

namespace {

int fired_of(const std::vector<Probe>& timers) {
  int count = 0;
  for (const Probe& timer : timers) count += timer.fired;
  return count;
}

}  // namespace

TEST_CASE("moving sixteen timers to a finer level takes as much of an advance as firing one") {
  TimerWheel wheel(start);
  std::vector<Probe> timers(1600);
  for (Probe& timer : timers) wheel.start(timer, start + 300ms, fire);
  wheel.advance(start + 300ms, 99);
  CHECK(fired_of(timers) == 0);
  wheel.advance(start + 300ms, 11);
  CHECK(fired_of(timers) == 10);
  wheel.advance(start + 300ms);
  CHECK(fired_of(timers) == 1600);
}

TEST_CASE("a wheel that is late fires more at once, four times as many at most") {
  TimerWheel wheel(start);
  std::vector<Probe> timers(1000);
  for (Probe& timer : timers) wheel.start(timer, start + 5ms, fire);
  // An idle stretch before is not lateness.
  wheel.catch_up(start + 4ms, 10);
  CHECK(fired_of(timers) == 0);
  wheel.catch_up(start + 20ms, 10);
  CHECK(fired_of(timers) == 10);
  wheel.catch_up(start + 105ms, 10);
  CHECK(fired_of(timers) == 40);
  wheel.catch_up(start + 1h, 10);
  CHECK(fired_of(timers) == 80);
  Probe later;
  wheel.advance(start + 1h);
  wheel.start(later, start + 2h, fire);
  wheel.catch_up(start + 2h, 1);
  wheel.catch_up(start + 2h, 1);
  CHECK(later.fired == 1);
}
