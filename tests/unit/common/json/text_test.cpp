#include "common/json/text.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace agentd;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs members_of(std::string_view text) {
  Pairs pairs;
  for (json::Members members(text); members.next();) pairs.emplace_back(members.key_token(), members.value());
  return pairs;
}

std::vector<std::string> elements_of(std::string_view text) {
  std::vector<std::string> values;
  for (json::Elements elements(text); elements.next();) values.emplace_back(elements.value());
  return values;
}

std::string written(std::string_view text) {
  std::string out = "x";
  json::append_string(out, text);
  return out.substr(1);
}

}  // namespace

TEST_CASE("members come in order, with their texts as they stand") {
  const Pairs expected = {{"\"a\"", "1"},
                          {"\"\"", "[1, {\"b\":2}]"},
                          {"\"c\\\"}\"", "\"}\\\"\""},
                          {"\"d\"", "{ }"},
                          {"\"a\"", "null"}};
  CHECK(members_of(R"( { "a" : 1 ,"": [1, {"b":2}],"c\"}":"}\"" ,"d":{ },"a":null} )") == expected);
  CHECK(members_of("{}").empty());
  CHECK(members_of(" { } ").empty());
}

TEST_CASE("a value is skipped whole, however it lies to the blocks of the search") {
  for (const std::string_view tricky : {"", "}", "]}", R"(\")", R"(\\)", R"(}\"])"}) {
    for (std::size_t length = 0; length < 150; ++length) {
      const std::string filler(length, '{');
      const std::string value = R"({"s":")" + filler + std::string(tricky) + R"(","t":[1,[]]})";
      for (const std::size_t behind : {0U, 1U, 62U, 63U, 64U, 65U, 128U}) {
        const std::string last = '"' + std::string(behind, ']') + '"';
        const Pairs expected = {{"\"a\"", value}, {"\"b\"", last}};
        const std::string text = R"({"a":)" + value + R"(,"b":)" + last + "}";
        if (members_of(text) != expected) FAIL_CHECK(text);
      }
    }
  }
}

/// All there is in a text, outermost first.
void read_all(std::string_view text, const json::Ends* ends, std::vector<std::string>& found) {
  found.emplace_back(text);
  if (json::type_of(text) == json::Type::object) {
    for (json::Members members(text, ends); members.next();) read_all(members.value(), ends, found);
  } else if (json::type_of(text) == json::Type::array) {
    for (json::Elements elements(text, ends); elements.next();) read_all(elements.value(), ends, found);
  }
}

TEST_CASE("with the ends that the check noted, a text reads as without") {
  json::Ends ends;
  for (const std::string_view text :
       {R"({"a":[1,{"b":"]}"},[]],"c":{},"d":[[[]]],"e":"{"})", "[ ]", R"( [ {"x" : { } } , [ "\\" ] ] )",
        "7", R"({"\"}":{"y":[[],[{}]]}})"}) {
    std::vector<std::string> with;
    std::vector<std::string> without;
    REQUIRE_FALSE(json::check(text, 64, nullptr, &ends));
    read_all(json::trim(text), &ends, with);
    read_all(json::trim(text), nullptr, without);
    CHECK(with == without);
  }
}

TEST_CASE("a text too long for its ends to be noted is read all the same") {
  json::Ends ends;
  const std::string text = "[[" + std::string(100'000, ' ') + "],{}]";
  REQUIRE_FALSE(json::check(text, 64, nullptr, &ends));
  CHECK_FALSE(ends.known());
  json::Elements elements(text, &ends);
  REQUIRE(elements.next());
  REQUIRE(elements.next());
  CHECK(elements.value() == "{}");
}

TEST_CASE("elements come in order, without the white space around them") {
  CHECK(elements_of(" [ 1 ,[2, 3],\"]\", {\"a\":\"[\"} , true ] ") ==
        std::vector<std::string>{"1", "[2, 3]", "\"]\"", "{\"a\":\"[\"}", "true"});
  CHECK(elements_of("[]").empty());
  CHECK(elements_of("[ ]").empty());
}

TEST_CASE("a text of another kind has no members and no elements") {
  CHECK(members_of("[1]").empty());
  CHECK(members_of("").empty());
  CHECK(elements_of("{\"a\":1}").empty());
  CHECK(elements_of("\"[1]\"").empty());
}

TEST_CASE("a broken text is not read past its end") {
  // Heap blocks of exactly that size, so that an address sanitizer sees each step too far.
  const std::string text = R"({"a" : [1,{"b\"":"c\\"},[]], "d":"\u00e4","e":{"f":tru)";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto block = std::make_unique<char[]>(size);
    text.copy(block.get(), size);
    const std::string_view cut(block.get(), size);
    (void)members_of(cut);
    (void)elements_of(cut);
    (void)json::depth_of(cut);
    (void)json::canonical(cut);
    (void)json::unquote(cut);
    (void)json::check(cut, 80);
  }
  for (const std::string_view odd :
       {"{,", "{\"a\"", "{\"a\":", "{\"a\",\"b\"}", "[,,]", "[}", "[1}]", "{\"a\\"}) {
    (void)members_of(odd);
    (void)elements_of(odd);
    (void)json::canonical(odd);
  }
}

TEST_CASE("a text's type is told by its first character") {
  CHECK(json::type_of(" {}") == json::Type::object);
  CHECK(json::type_of("[]") == json::Type::array);
  CHECK(json::type_of("\"\"") == json::Type::string);
  CHECK(json::type_of("-1") == json::Type::number);
  CHECK(json::type_of("true") == json::Type::boolean);
  CHECK(json::type_of("false") == json::Type::boolean);
  CHECK(json::type_of("null") == json::Type::null);
  CHECK(json::trim(" \r\n\t1 2\n") == "1 2");
  CHECK(json::trim("  ").empty());
}

TEST_CASE("a string token stands for its characters") {
  CHECK(json::unquote(R"("")").empty());
  CHECK(json::unquote(R"("plain")") == "plain");
  CHECK(json::unquote(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(json::unquote(R"("a\u0041\u00e4\u20AC\ud83d\ude00z")") == "aA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
  CHECK(json::unquote(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("a token without escapes is read without a copy") {
  const std::string_view token = "\"plain\"";
  std::string storage = "untouched";
  CHECK(json::unquote(token, storage).data() == token.data() + 1);
  CHECK(storage == "untouched");
  CHECK(json::unquote("\"a\\n\"", storage) == "a\n");
  CHECK(storage == "a\n");
}

TEST_CASE("a token is compared with what it stands for") {
  CHECK(json::token_is(R"("call")", "call"));
  CHECK(json::token_is(R"("c\u0061ll")", "call"));
  CHECK_FALSE(json::token_is(R"("calls")", "call"));
  CHECK_FALSE(json::token_is(R"("c\u0062ll")", "call"));
  CHECK_FALSE(json::token_is(R"("a\nb")", "a\\nb"));
  CHECK_FALSE(json::token_is("", "call"));
}

TEST_CASE("a written string is valid JSON whatever its bytes") {
  CHECK(written("") == R"("")");
  CHECK(written("a\"b\\c/") == R"("a\"b\\c/")");
  CHECK(written("\b\f\n\r\t\x01\x1f\x7f") == "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  CHECK(written(std::string(1, '\0')) == R"("\u0000")");
  CHECK(written("\xc3\xa4\xf0\x9f\x98\x80") == "\"\xc3\xa4\xf0\x9f\x98\x80\"");
}

TEST_CASE("bytes that are no UTF-8 are written as U+FFFD") {
  const std::string mark = "\xef\xbf\xbd";
  CHECK(written("a\xff"
                "b") == "\"a" + mark + "b\"");
  CHECK(written("\xe2\x82") == '"' + mark + '"');
  CHECK(written("\xe2\x82\n\xe4") == '"' + mark + "\\n" + mark + '"');
  CHECK(written("\xc0\xaf") == '"' + mark + mark + '"');
  CHECK(written("\xed\xa0\x80") == '"' + mark + mark + mark + '"');
  CHECK(written("\xc3\xa4\xc3") == "\"\xc3\xa4" + mark + '"');
}

TEST_CASE("canonical text has sorted keys, no white space and plain UTF-8") {
  CHECK(json::canonical(R"( { "b" : 1 , "a" : [ 1.50 , "\u00e4\/\u000a" ] , "B": {} , "" : [ ] } )") ==
        "{\"\":[],\"B\":{},\"a\":[1.50,\"\xc3\xa4/\\n\"],\"b\":1}");
  CHECK(json::canonical(R"({"\u0062":1,"a":2})") == R"({"a":2,"b":1})");
  CHECK(json::canonical(" 1e3 ") == "1e3");
  CHECK(json::canonical("123456789012345678901234567890") == "123456789012345678901234567890");
  CHECK(json::canonical("\"\\u001F\"") == "\"\\u001f\"");
}

TEST_CASE("keys are sorted by their bytes") {
  CHECK(json::canonical("{\"\xf0\x9f\x98\x80\":1,\"\xef\xbf\xbd\":2,\"z\":3,\"a\":4,\"aa\":5}") ==
        "{\"a\":4,\"aa\":5,\"z\":3,\"\xef\xbf\xbd\":2,\"\xf0\x9f\x98\x80\":1}");
}

TEST_CASE("canonical text of canonical text is itself") {
  const std::string once = json::canonical(R"({"x":[{"b":null,"a":"\ud83d\ude00"},-0.0],"x":2})");
  CHECK(json::canonical(once) == once);
  CHECK_FALSE(json::check(once, 80));
}
