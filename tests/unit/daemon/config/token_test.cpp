#include "daemon/config/token.hpp"

#include <cstdlib>

#include <catch2/catch.hpp>

#include "tests/unit/daemon/config/scratch.hpp"

using agentd::config::read_token;

namespace {

std::string error_of(const std::string& file) {
  const auto token = read_token(file);
  REQUIRE_FALSE(token.has_value());
  return token.error().message();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a token is one line, without the blanks around it") {
  const Scratch scratch;
  CHECK(read_token(scratch.file("t", "  0123456789abcdef\r\n\n")).value() == "0123456789abcdef");
  CHECK(read_token(scratch.file("t", "0123456789abcdef", 0640)).value() == "0123456789abcdef");
}

TEST_CASE("a token file that others can open is refused, with the command that mends it") {
  const Scratch scratch;
  for (const unsigned mode : {0604U, 0602U, 0644U, 0666U}) {
    const std::string file = scratch.file("t", "0123456789abcdef", mode);
    CHECK(contains(error_of(file), "run: chmod o= " + file));
  }
}

TEST_CASE("an empty, short, long, or many-worded token is refused, and never shown") {
  const Scratch scratch;
  CHECK(contains(error_of(scratch.file("t", " \n")), "is empty; put a token into it"));
  CHECK(contains(error_of(scratch.file("t", "0123456789abcde")), "holds 15 characters; a token has 16"));
  CHECK(contains(error_of(scratch.file("t", std::string(5000, 'x'))),
                 "holds more than 4096 characters; a token has 16"));
  CHECK(contains(error_of(scratch.file("t", "two words of some length")), "one line of visible ASCII"));
  CHECK(contains(error_of(scratch.file("t", "0123456789abcdef\nsecond")), "one line of visible ASCII"));
  CHECK(contains(error_of(scratch.file("t", "0123456789abcdef\xC3\xA9")), "one line of visible ASCII"));
  CHECK_FALSE(contains(error_of(scratch.file("t", "0123456789abcde")), "abcde"));
}

TEST_CASE("a token file that is not there, or no file, is named with the reason") {
  const Scratch scratch;
  CHECK(error_of((scratch.path() / "no").string()).ends_with("cannot be read: No such file or directory"));
  CHECK(contains(error_of(scratch.path().string()), "is not a regular file"));
}

TEST_CASE("the credential `token` is found where systemd puts it") {
  const Scratch scratch;
  setenv("CREDENTIALS_DIRECTORY", scratch.path().c_str(), 1);
  CHECK(agentd::config::token_credential().empty());
  const std::string file = scratch.file("token", "0123456789abcdef", 0400);
  CHECK(agentd::config::token_credential() == file);
  unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(agentd::config::token_credential().empty());
}
