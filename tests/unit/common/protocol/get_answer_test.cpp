#include "common/protocol/get_answer.hpp"

#include <catch2/catch.hpp>

namespace agentd::protocol {

TEST_CASE("the outcome of a call that is done is its message") {
  const auto read = read_get_answer(R"({"call":"c","state":"done","value":{"name":"n","content":[1.0]}})");
  REQUIRE(read.has_value());
  CHECK(read->labels.text(agentd::detail::Label::name) == "n");
  CHECK(*read->content == "[1.0]");
}

TEST_CASE("the outcome of a call that failed is its error") {
  const auto read = read_get_answer(
      R"({"state":"failed","error":{"code":-32016,"message":"no","data":{"kind":"agent_failed","retryable":false}}})");
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().kind() == ErrorKind::agent_failed);
  CHECK(read.error().message() == "no");
}

TEST_CASE("what has no outcome is an internal error") {
  const auto read = read_get_answer(R"({"state":"running"})");
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().kind() == ErrorKind::internal);
}

}  // namespace agentd::protocol
