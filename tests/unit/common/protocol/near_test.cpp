#include "common/protocol/near.hpp"

#include <catch2/catch.hpp>

using namespace agentd::protocol;

namespace {
const std::vector<std::string> names = {"echo", "counter", "sleeper", "deadline_ms", "a"};
using Names = std::vector<std::string>;
}  // namespace

TEST_CASE("near names are found, the nearest first") {
  CHECK(near_names("ecoh", names) == Names{"echo"});
  CHECK(near_names("Echo", names) == Names{"echo"});
  CHECK(near_names("deadline", names) == Names{"deadline_ms"});
  CHECK(near_names("counters", names) == Names{"counter"});
  CHECK(near_names("abd", {"xbd", "abd", "axx"}) == Names{"abd", "xbd"});
}

TEST_CASE("far names are not") {
  CHECK(near_names("banana", names).empty());
  CHECK(near_names("", names).empty());
  CHECK(near_names("b", names).empty());
  CHECK(near_names(std::string(10'000, 'x'), {std::string(10'000, 'x')}).empty());
}

TEST_CASE("near names are offered in words") {
  CHECK(did_you_mean({}).empty());
  CHECK(did_you_mean({"a"}) == R"( (did you mean "a"?))");
  CHECK(did_you_mean({"a", "b", "c"}) == R"( (did you mean "a", "b" or "c"?))");
}
