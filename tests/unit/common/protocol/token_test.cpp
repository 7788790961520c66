#include "common/protocol/token.hpp"

#include <catch2/catch.hpp>

namespace agentd::protocol {

TEST_CASE("a token in a file's text stands without the blanks around it") {
  CHECK(token_in(" \t0123\r\n\n") == "0123");
  CHECK(token_in("0123") == "0123");
  CHECK(token_in("01 23\n") == "01 23");
  CHECK(token_in(" \n").empty());
}

TEST_CASE("a token has visible ASCII characters, not too few and not too many") {
  CHECK_FALSE(token_fault("0123456789abcdef", 16));
  CHECK_FALSE(token_fault("!~", 1));
  CHECK_FALSE(token_fault(std::string(4096, 'x'), 16));
  CHECK(token_fault("", 1) == "is empty");
  CHECK(token_fault("0123456789abcde", 16) == "holds 15 characters; a token has 16 to 4096");
  CHECK(token_fault(std::string(4097, 'x'), 1) == "holds more than 4096 characters; a token has 1 to 4096");
  for (const char* text : {"a b", "a\nb", "a\x7f", "\xC3\xA9", "a\r\nX-More: yes"}) {
    CHECK(token_fault(text, 1) == "must be one line of visible ASCII characters without blanks");
  }
}

TEST_CASE("what a program sets is a token, or empty for none") {
  CHECK(check_token("", 16).has_value());
  CHECK(check_token("0123456789abcdef", 16).has_value());
  const auto refused = check_token("0123456789abcde", 16);
  REQUIRE(refused.has_error());
  CHECK(refused.error().kind() == ErrorKind::invalid_params);
  CHECK(refused.error().message() == "the token holds 15 characters; a token has 16 to 4096");
}

}  // namespace agentd::protocol
