#include "daemon/rpc/metrics.hpp"

#include <catch2/catch.hpp>

namespace agentd::rpc {

using namespace std::chrono_literals;

TEST_CASE("a loop's turns are a histogram whose buckets have what is shorter too") {
  async::TurnTimes times;
  for (const auto time : {500us, 700us, 20'000us, 60'000us, 2'000'000us}) times.add(time);
  std::string text;
  append_turn_times(text, "lag_seconds", "How long", times);
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
