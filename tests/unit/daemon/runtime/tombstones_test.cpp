#include "daemon/runtime/tombstones.hpp"

#include <vector>

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

TEST_CASE("of many ids exactly those of the last ones are known, whatever came and went between") {
  const Tombstones::Clock::time_point start{1h};
  constexpr int kept = 3000;
  constexpr int all = 20'000;
  Tombstones ids(kept, 1h);
  std::vector<CallId> added;
  for (int i = 0; i < all; ++i) {
    added.push_back(CallId::mint());
    ids.announce(added.back());
    ids.add(added.back(), start);
  }
  CHECK(ids.size() == kept);
  int wrong = 0;
  for (int i = 0; i < all; ++i)
    wrong += ids.has(added[static_cast<std::size_t>(i)], start) != (i >= all - kept);
  CHECK(wrong == 0);
  CHECK_FALSE(ids.has(added.back(), start + 1h));
  CHECK(ids.size() == 0);
}

}  // namespace agentd::runtime
