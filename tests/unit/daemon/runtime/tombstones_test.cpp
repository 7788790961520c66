#include "daemon/runtime/tombstones.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/daemon/runtime/world.hpp"

namespace agentd::runtime {

using namespace std::chrono_literals;

TEST_CASE("an id is remembered for its time, and no longer") {
  const Tombstones::Clock::time_point start{1h};
  Tombstones ids(10, 100ms);
  ids.add(id_of("a"), start);
  ids.add(id_of("b"), start + 50ms);
  CHECK(ids.has(id_of("a"), start + 99ms));
  CHECK_FALSE(ids.has(id_of("c"), start + 99ms));
  CHECK_FALSE(ids.has(id_of("a"), start + 100ms));
  CHECK(ids.has(id_of("b"), start + 100ms));
  CHECK(ids.size() == 1);
}

TEST_CASE("past their number the oldest ids go first") {
  const Tombstones::Clock::time_point start{1h};
  Tombstones ids(2, 1h);
  for (const char* id : {"a", "b", "b", "c"}) ids.add(id_of(id), start);
  CHECK_FALSE(ids.has(id_of("a"), start));
  CHECK(ids.has(id_of("b"), start));
  CHECK(ids.has(id_of("c"), start));
}

}  // namespace agentd::runtime
