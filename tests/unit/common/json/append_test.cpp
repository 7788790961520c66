#include "common/json/append.hpp"

#include <catch2/catch.hpp>

using agentd::json::append_all;

TEST_CASE("texts are appended one behind the other, literals without their end") {
  std::string out = "a";
  append_all(out, "b", std::string("cd"), std::string_view("efgh").substr(1), "", std::string(), "\"");
  CHECK(out == "abcdfgh\"");
  append_all(out, std::string(1000, 'x'));
  CHECK(out.size() == 1008);
}
