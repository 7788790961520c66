#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/json/text.hpp"

using namespace agentd;

namespace {

constexpr unsigned deep = 80;

/// Each text is checked at every distance from a block's end: the search works in blocks.
void check_valid(const std::string& text) {
  for (std::size_t shift = 0; shift < 20; ++shift) {
    const std::string padded = std::string(shift, ' ') + text + std::string(19 - shift, '\n');
    INFO(padded);
    const auto fault = json::check(padded, deep);
    CHECK_FALSE(fault);
    if (fault) WARN(fault->what);
  }
}

void check_fault(const std::string& text, std::size_t offset, const std::string& what) {
  INFO(text);
  const auto fault = json::check(text, deep);
  REQUIRE(fault);
  CHECK(fault->offset == offset);
  CHECK(fault->what == what);
  CHECK_FALSE(fault->too_deep);
  for (std::size_t shift = 1; shift < 20; ++shift) {
    const auto again = json::check(std::string(shift, ' ') + text, deep);
    REQUIRE(again);
    // The mark has a message of its own only at the very front.
    CHECK((again->offset == offset + shift || text.starts_with("\xef\xbb\xbf")));
  }
}

std::string nested(unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("every kind of value is JSON by itself") {
  for (const std::string text : {"null", "true", "false", "0", "\"\"", "{}", "[]", "[ ]", "{ }", "\"x\""}) {
    check_valid(text);
  }
}

TEST_CASE("numbers follow the grammar, at any size") {
  for (const std::string text :
       {"0", "-0", "-1", "10", "0.0", "1.5e10", "1E+2", "1e-99999", "123456789012345678901234567890.5"}) {
    check_valid(text);
    check_valid("[" + text + "," + text + "]");
  }
  check_valid(std::string(5000, '7'));
  check_fault("01", 1, "a number begins with a needless 0");
  check_fault("-", 1, "expected a digit");
  check_fault("-a", 1, "expected a digit");
  check_fault("1.", 2, "expected a digit");
  check_fault("1.e5", 2, "expected a digit");
  check_fault("1e", 2, "expected a digit");
  check_fault("1e+", 3, "expected a digit");
  check_fault("+1", 0, "expected a value");
  check_fault(".5", 0, "expected a value");
  check_fault("0x10", 1, "there is more text behind the value");
  check_fault("NaN", 0, "expected a value");
  check_fault("Infinity", 0, "expected a value");
}

TEST_CASE("containers nest and close as they opened") {
  check_valid(R"({"a":[1,{"b":[]},{"c":{}}],"a":null})");
  check_fault("[1", 2, "an array is not closed");
  check_fault("[1,", 3, "the text ends where a value is expected");
  check_fault("[1,]", 3, "expected a value");
  check_fault("[,1]", 1, "expected a value");
  check_fault("[1 2]", 3, "expected ',' or ']' after an element");
  check_fault("[1}", 2, "expected ',' or ']' after an element");
  check_fault("{", 1, "an object is not closed");
  check_fault(R"({"a")", 4, "expected ':' after a member's name");
  check_fault(R"({"a" 1})", 5, "expected ':' after a member's name");
  check_fault(R"({"a":})", 5, "expected a value");
  check_fault(R"({"a":1,})", 7, "expected a member's name in double quotes");
  check_fault(R"({"a":1 "b":2})", 7, "expected ',' or '}' after a member");
  check_fault(R"({"a":1])", 6, "expected ',' or '}' after a member");
  check_fault("{1:2}", 1, "expected a member's name in double quotes");
  check_fault("{'a':1}", 1, "expected a member's name in double quotes");
  check_fault("{}{}", 2, "there is more text behind the value");
  check_fault("]", 0, "expected a value");
  check_fault("[1] // no", 4, "there is more text behind the value");
}

TEST_CASE("a text without a value is refused") {
  check_fault("", 0, "the text ends where a value is expected");
  check_fault(" \n\t\r", 4, "the text ends where a value is expected");
  check_fault("\f1", 0, "expected a value");
  check_fault("\xef\xbb\xbf{}", 0, "a byte order mark is not allowed");
  check_fault("tru", 0, "expected a value");
  check_fault("nulL", 0, "expected a value");
  check_fault("truee", 4, "there is more text behind the value");
}

TEST_CASE("strings carry escapes, and nothing below a space without one") {
  check_valid(R"("\" \\ \/ \b \f \n \r \t \u0000 \uFfFf")");
  check_valid("\"\x7f\"");
  for (std::size_t length = 0; length < 40; ++length) check_valid('"' + std::string(length, 'x') + '"');
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string filler(length, 'x');
    check_fault('"' + filler, 0, "a string is not closed");
    check_fault('"' + filler + '\n' + filler + '"', length + 1,
                "a control character stands in a string without an escape");
    check_fault('"' + filler + "\\x" + filler + '"', length + 1, "an escape that JSON does not have");
  }
  check_fault(std::string("\"\0\"", 3), 1, "a control character stands in a string without an escape");
  check_fault("\"\\", 1, "an escape is not complete");
  check_fault(R"("\u12")", 1, "\\u is not followed by four hexadecimal digits");
  check_fault(R"("\u12g4")", 1, "\\u is not followed by four hexadecimal digits");
  check_fault("\"\\u123", 1, "\\u is not followed by four hexadecimal digits");
}

TEST_CASE("a surrogate needs its other half") {
  check_valid(R"("\ud83d\ude00")");
  check_valid(R"("\uDBFF\uDFFF")");
  const std::string what = "a surrogate without its other half";
  check_fault(R"("\ud800")", 1, what);
  check_fault(R"("\ud800x")", 1, what);
  check_fault(R"("\ud800\n")", 1, what);
  check_fault(R"("\ud800\u0041")", 1, what);
  check_fault(R"("\ud800\ud800")", 1, what);
  check_fault(R"("\udc00")", 1, what);
  check_fault("\"a\\ud800\\udc0", 2, what);
}

TEST_CASE("bytes that are no UTF-8 are refused where they stand") {
  check_valid("\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  check_valid("{\"\xc3\xa4\":1}");
  const std::string what = "the bytes are not valid UTF-8";
  check_fault("\"a\xff\"", 2, what);
  check_fault("\"\xc3\"", 1, what);
  check_fault("\"\xc0\xaf\"", 1, what);
  check_fault("\"\xed\xa0\x80\"", 1, what);
  check_fault("\"\xf4\x90\x80\x80\"", 1, what);
  check_fault("\"\xf8\x88\x80\x80\x80\"", 1, what);
  check_fault("[\"" + std::string(100, 'x') + "\", \"\xe2\x82\"]", 106, what);
  check_fault("\xc3\xa4", 0, "expected a value");
}

TEST_CASE("nesting is counted and bounded") {
  unsigned depth = 7;
  REQUIRE_FALSE(json::check("1", deep, &depth));
  CHECK(depth == 0);
  REQUIRE_FALSE(json::check("[[],{\"a\":[1]}, []]", deep, &depth));
  CHECK(depth == 3);
  CHECK_FALSE(json::check(nested(deep), deep));
  const auto fault = json::check(nested(deep + 1), deep);
  REQUIRE(fault);
  CHECK(fault->too_deep);
  CHECK(fault->offset == deep);
  CHECK(fault->what == "nested deeper than 80");
  CHECK(json::check("[]", 0)->too_deep);
  CHECK_FALSE(json::check("0", 0));
  CHECK(json::check(std::string(1'000'000, '['), 1'000'000)->too_deep);
  CHECK(json::check(std::string(1'000'000, '{'), deep));
}

TEST_CASE("the depth of a checked text is counted without checking it again") {
  CHECK(json::depth_of("1") == 0);
  CHECK(json::depth_of("\"[[[\"") == 0);
  CHECK(json::depth_of("[]") == 1);
  CHECK(json::depth_of(R"({"a[":[{"b\"{":"]"}],"c":[]})") == 3);
  CHECK(json::depth_of(nested(64)) == 64);
}
