#include "daemon/rpc/metrics.hpp"

#include <array>

#include <catch2/catch.hpp>

namespace agentd::rpc {

using namespace std::chrono_literals;

TEST_CASE("the turns of all loops are a histogram whose buckets have what is shorter too") {
  async::TurnTimes one;
  for (const auto time : {500us, 20'000us, 2'000'000us}) one.add(time);
  async::TurnTimes other;
  for (const auto time : {700us, 60'000us}) other.add(time);
  std::string text;
  append_turn_times(text, "lag_seconds", "How long", std::array<const async::TurnTimes*, 2>{&one, &other});
  CHECK(text ==
        "# HELP lag_seconds How long\n"
        "# TYPE lag_seconds histogram\n"
        "lag_seconds_bucket{le=\"0.001\"} 2\n"
        "lag_seconds_bucket{le=\"0.005\"} 2\n"
        "lag_seconds_bucket{le=\"0.01\"} 2\n"
        "lag_seconds_bucket{le=\"0.05\"} 3\n"
        "lag_seconds_bucket{le=\"0.1\"} 4\n"
        "lag_seconds_bucket{le=\"0.5\"} 4\n"
        "lag_seconds_bucket{le=\"1\"} 4\n"
        "lag_seconds_bucket{le=\"+Inf\"} 5\n"
        "lag_seconds_sum 2.0812\n"
        "lag_seconds_count 5\n");
}

}  // namespace agentd::rpc
