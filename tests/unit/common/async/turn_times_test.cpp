#include "common/async/turn_times.hpp"

#include <vector>

#include <catch2/catch.hpp>

using agentd::async::TurnTimes;
using namespace std::chrono_literals;

TEST_CASE("a turn counts where the first bound is no shorter, and its time in the sum") {
  TurnTimes times;
  for (const TurnTimes::Duration time : {0ns, 1'000'000ns, 1'000'001ns, 50'000'000ns, 1'000'000'000ns})
    times.add(time);
  times.add(1s + 1ns);
  times.add(1h);
  const std::vector<std::uint64_t> counts(times.counts.begin(), times.counts.end());
  CHECK(counts == std::vector<std::uint64_t>{2, 1, 0, 1, 0, 0, 1, 2});
  CHECK(times.sum() == 1h + 2s + 52'000'002ns);
}
