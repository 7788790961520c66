#include "common/json/checking_form.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "common/json/text.hpp"

using namespace agentd;

namespace {

constexpr unsigned deep = 3;

/// Whether a form takes the text as one value, to its end.
bool takes(std::string_view text) {
  json::CheckingForm form(text, deep);
  std::string_view value;
  return form.value(value) && value == text && form.at_end() && form.is_utf8();
}

}  // namespace

TEST_CASE("a text that nothing has checked is read member by member") {
  json::CheckingForm form(R"({"id":"a-1","value":[1,{"x":"]"}],"n":-1.5e3})", deep);
  std::string_view id;
  std::string_view value;
  std::string_view number;
  CHECK(form.past(R"({"id":)"));
  CHECK(form.string(id));
  CHECK(form.past(R"(,"value":)"));
  CHECK(form.value(value));
  CHECK(form.past(R"(,"n":)"));
  CHECK(form.value(number));
  CHECK_FALSE(form.at_end());
  CHECK(form.past("}"));
  CHECK(form.at_end());
  CHECK(form.is_utf8());
  CHECK(id == R"("a-1")");
  CHECK(value == R"([1,{"x":"]"}])");
  CHECK(number == "-1.5e3");
}

TEST_CASE("a plain text is a string without its quotes") {
  std::string_view text;
  CHECK(json::CheckingForm(R"("a-1")", deep).plain_text(text));
  CHECK(text == "a-1");
  for (const std::string_view other : {"", "\"", "1", R"("a\n")", R"("a)"}) {
    CHECK_FALSE(json::CheckingForm(other, deep).plain_text(text));
  }
}

TEST_CASE("a value is taken where a check of it alone would pass it") {
  for (const std::string text : {"1",
                                 "-0.5",
                                 "01",
                                 "1.",
                                 "true",
                                 "tru",
                                 "null",
                                 R"("x")",
                                 R"("x\n")",
                                 R"("x\q")",
                                 R"("\ud800")",
                                 R"("\ud83d\ude00")",
                                 "\"\x01\"",
                                 "\"\xc3\xa9\"",
                                 "\"\xc3\"",
                                 "\"\xed\xa0\x80\"",
                                 R"("x)",
                                 R"("x\)",
                                 "[]",
                                 "[[[]]]",
                                 "[[[[]]]]",
                                 "[1,]",
                                 "[1 , 2]",
                                 "{\"a\":\"\xff\"}",
                                 R"({"a":1,"a":2})",
                                 R"({"a" : [ ] })",
                                 R"({"a"})",
                                 R"({1:2})",
                                 "",
                                 " ",
                                 "]",
                                 "\xef\xbb\xbf"
                                 "1"}) {
    CAPTURE(text);
    CHECK(takes(text) == !json::check(text, deep).has_value());
  }
}

TEST_CASE("a string with an escape is taken as a value only") {
  json::CheckingForm form(R"("a\n")", deep);
  std::string_view token;
  CHECK_FALSE(form.string(token));
}
