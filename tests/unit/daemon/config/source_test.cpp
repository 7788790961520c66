#include "daemon/config/source.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/daemon/config/scratch.hpp"

using agentd::config::blank_comments;
using agentd::config::Source;

namespace {

std::string blanked(std::string text) {
  CHECK(blank_comments(text) == std::string::npos);
  return text;
}

std::string error_of(const std::string& text) {
  const auto source = Source::from_text("f", text);
  return source ? "" : source.error().message();
}

}  // namespace

TEST_CASE("comments become spaces, and line ends stay") {
  CHECK(blanked("1 // one\n2") == "1       \n2");
  CHECK(blanked("1 /* a\nb */ 2") == "1     \n     2");
  CHECK(blanked("/**/1//") == "    1  ");
  CHECK(blanked("// CRLF\r\n1") == "       \r\n1");
}

TEST_CASE("what looks like a comment inside a string is none") {
  CHECK(blanked(R"({"a": "// x", "b\"/*": 1 /* c */})") == R"({"a": "// x", "b\"/*": 1        })");
  CHECK(blanked(R"("\\" // x)") == R"("\\"     )");
}

TEST_CASE("a comment that is never closed is an error where it begins") {
  CHECK(error_of("{\n  /* x\n}") == "f:2:3: this comment is never closed; it needs a */");
}

TEST_CASE("a single slash is not JSON") { CHECK(error_of("{}\n / x").starts_with("f:2:2: not JSON: ")); }

TEST_CASE("broken JSON is an error with its place") {
  CHECK(error_of("{\n  \"a\": 1,\n}").starts_with("f:3:1: not JSON: "));
  CHECK(error_of("").starts_with("f:1:1: not JSON: "));
}

TEST_CASE("nesting without end is an error, not a crash") {
  CHECK(error_of(std::string(200'000, '[')).find("not JSON") != std::string::npos);
}

TEST_CASE("columns count characters") {
  const auto source = Source::from_text("f", "{\"größe\": 1}");
  REQUIRE(source.has_value());
  CHECK(source->where(source->text().substr(source->text().find('1'))) == "f:1:11");
}

TEST_CASE("a byte order mark is ignored") { CHECK(Source::from_text("f", "\xEF\xBB\xBF{}").has_value()); }

TEST_CASE("a file that is not there or is a directory is named with the reason") {
  const Scratch scratch;
  const auto missing = Source::read(scratch.path() / "no.json");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message() ==
        (scratch.path() / "no.json").string() + ": cannot be read: No such file or directory");
  const auto directory = Source::read(scratch.path());
  REQUIRE_FALSE(directory.has_value());
  CHECK(directory.error().message().ends_with("it is a directory"));
}

TEST_CASE("a file beyond 1 MiB is refused") {
  const Scratch scratch;
  const auto source = Source::read(scratch.file("big.json", std::string((1U << 20) + 1, ' ')));
  REQUIRE_FALSE(source.has_value());
  CHECK(source.error().message().ends_with("larger than 1 MiB"));
}
