#include "common/net/reconnect.hpp"

#include <catch2/catch.hpp>

using agentd::net::Backoff;
using agentd::net::Liveness;
using agentd::net::Redial;
using namespace std::chrono_literals;

namespace {

std::optional<std::chrono::milliseconds> lost(Redial& redial, Redial::Clock::time_point now) {
  redial.lost(now);
  return redial.pause(now);
}

}  // namespace

TEST_CASE("the pause before dialling again doubles to a second, less a fifth at most") {
  Backoff backoff;
  for (const auto expected : {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto wait = backoff.next();
    CHECK(wait <= expected);
    CHECK(wait >= expected * 4 / 5);
  }
}

TEST_CASE("a connection that was made starts the pauses anew") {
  Backoff backoff;
  for (int i = 0; i < 6; ++i) (void)backoff.next();
  backoff.reset();
  CHECK(backoff.next() <= 50ms);
}

TEST_CASE(
    "a node that is lost again and again before it was met is dialled ever less often, and then given up") {
  Redial redial(3000ms);
  Redial::Clock::time_point now{};
  redial.begin(now);
  int dials = 1;
  while (const auto pause = lost(redial, now)) {
    CHECK(*pause <= Backoff::longest);
    now += *pause;
    ++dials;
  }
  CHECK(now >= Redial::Clock::time_point(3s));
  CHECK(now < Redial::Clock::time_point(4s));
  CHECK(dials <= 9);
}

TEST_CASE(
    "a node that was met for a second is dialled at once when it is lost, with all the patience there is") {
  Redial redial(3000ms);
  const Redial::Clock::time_point start{};
  for (int i = 0; i < 6; ++i) CHECK(lost(redial, start));
  redial.met(start + 1s);
  CHECK(redial.is_met());
  CHECK_FALSE(redial.over_at());
  CHECK(lost(redial, start + 2s).value() <= 50ms);
  CHECK_FALSE(redial.is_met());
  CHECK(redial.over_at() == start + 5s);
}

TEST_CASE("a node that is lost soon after each meeting is dialled ever less often, and never given up") {
  Redial redial(3000ms);
  Redial::Clock::time_point now{};
  for (const auto expected : {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms, 1000ms, 1000ms}) {
    redial.met(now);
    now += 999ms;
    const auto pause = lost(redial, now);
    REQUIRE(pause);
    CHECK(*pause >= expected * 4 / 5);
    CHECK(redial.over_at() == now + 3s);
    now += *pause;
  }
}

TEST_CASE("a meeting counts for the connection that it was on, and for no later one") {
  Redial redial(3000ms);
  const Redial::Clock::time_point start{};
  redial.met(start);
  redial.lost(start);
  for (int i = 0; i < 6; ++i) CHECK(lost(redial, start));
  CHECK(lost(redial, start + 2s).value() >= 800ms);
}

TEST_CASE("patience is not renewed by what begins to wait meanwhile, but is when nothing waits any more") {
  Redial redial(3000ms);
  const Redial::Clock::time_point start{};
  redial.begin(start);
  redial.begin(start + 2s);
  CHECK(redial.over_at() == start + 3s);
  redial.end();
  redial.begin(start + 2s);
  CHECK(redial.over_at() == start + 5s);
}

TEST_CASE("a node whose silence has used up the patience is given up when it is lost") {
  Redial redial(3000ms);
  const Redial::Clock::time_point start{};
  redial.met(start);
  redial.tire(start);
  CHECK_FALSE(lost(redial, start));
}

TEST_CASE("without patience a node is dialled again for ever") {
  Redial redial(std::nullopt);
  const Redial::Clock::time_point start{};
  redial.tire(start);
  for (int i = 0; i < 6; ++i) CHECK(lost(redial, start + std::chrono::hours(i)));
}

TEST_CASE("a quiet connection gets a ping, and is dead when nothing comes for 10 s after it") {
  Liveness liveness;
  const Liveness::Clock::time_point start{};
  liveness.begin(start);
  CHECK(liveness.check(start + 2999ms) == Liveness::Advice::fine);
  CHECK(liveness.check(start + 3s) == Liveness::Advice::ping);
  CHECK(liveness.check(start + 12999ms) == Liveness::Advice::fine);
  CHECK(liveness.check(start + 13s) == Liveness::Advice::dead);
}

TEST_CASE("whatever is heard after a ping is an answer to it") {
  Liveness liveness;
  const Liveness::Clock::time_point start{};
  liveness.begin(start);
  CHECK(liveness.check(start + 3s) == Liveness::Advice::ping);
  liveness.heard(start + 12s);
  CHECK(liveness.check(start + 14s) == Liveness::Advice::fine);
  CHECK(liveness.check(start + 15s) == Liveness::Advice::ping);
}
