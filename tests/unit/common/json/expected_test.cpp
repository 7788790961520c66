#include "common/json/expected.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace agentd;

namespace {

/// A checked text and its ends.
struct Checked {
  explicit Checked(std::string_view json) : text(json) {
    REQUIRE_FALSE(json::check(text, 80, nullptr, &ends));
    REQUIRE(ends.known());
  }
  [[nodiscard]] json::Expected form() const { return {text, ends}; }

  std::string text;
  json::Ends ends;
};

}  // namespace

TEST_CASE("an expected form is read member by member") {
  const Checked checked(R"({"id":"a-1","value":[1,{"x":"]"}],"n":-1.5e3,"object":{}})");
  json::Expected form = checked.form();
  std::string_view id;
  std::string_view value;
  std::string_view number;
  std::string_view object;
  CHECK(form.past(R"({"id":)"));
  CHECK(form.string(id));
  CHECK(form.past(R"(,"value":)"));
  CHECK(form.value(value));
  CHECK(form.past(R"(,"n":)"));
  CHECK(form.value(number));
  CHECK(form.past(R"(,"object":)"));
  CHECK(form.object(object));
  CHECK_FALSE(form.at_end());
  CHECK(form.past("}"));
  CHECK(form.at_end());
  CHECK(id == R"("a-1")");
  CHECK(value == R"([1,{"x":"]"}])");
  CHECK(number == "-1.5e3");
  CHECK(object == "{}");
}

TEST_CASE("a step that finds something else stays where it is") {
  const Checked checked(R"(["a\n","",1])");
  json::Expected form = checked.form();
  std::string_view text;
  CHECK_FALSE(form.past("{"));
  CHECK_FALSE(form.string(text));
  CHECK_FALSE(form.object(text));
  CHECK(form.past("["));
  // One with an escape is left to the reader that knows them.
  CHECK_FALSE(form.string(text));
  CHECK_FALSE(form.plain_text(text));
  CHECK(form.value(text));
  CHECK(text == R"("a\n")");
  CHECK(form.past(","));
  CHECK(form.plain_text(text));
  CHECK(text.empty());
  CHECK_FALSE(form.past(",1]]"));
  CHECK(form.past(",1]"));
  CHECK(form.at_end());
  CHECK_FALSE(form.string(text));
  CHECK_FALSE(form.value(text));
  CHECK_FALSE(form.past("x"));
}
