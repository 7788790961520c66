#include "common/vocabulary/home.hpp"

#include <catch2/catch.hpp>

using agentd::homes;
using agentd::loop_of;

TEST_CASE("homes are shared among loops in their order, and evenly") {
  CHECK(loop_of(homes - 1, 1) == 0);
  for (const std::size_t loops : {2, 4, 64, 1024}) {
    for (agentd::Home home = 0; home < homes; ++home) REQUIRE(loop_of(home, loops) == home / (homes / loops));
  }
  CHECK(loop_of(341, 3) == 0);
  CHECK(loop_of(342, 3) == 1);
  CHECK(loop_of(homes - 1, 3) == 2);
}
