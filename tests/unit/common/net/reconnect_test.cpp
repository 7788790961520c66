#include "common/net/reconnect.hpp"

#include <catch2/catch.hpp>

using agentd::net::Backoff;
using agentd::net::Liveness;
using namespace std::chrono_literals;

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
