#include <catch2/catch.hpp>
#include <string>

#include "common/json/text.hpp"
#include "common/protocol/values.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

const std::string id = "01JABCDEFGHJKMNPQRSTVWXYZ0";
const std::string body = R"({"host":"10.0.0.2","port":12001,"call":")" + id + "\"}";
const std::string there = R"({"$placeholder":)" + body + "}";

Input good(const std::string& text) {
  INFO(text);
  REQUIRE_FALSE(json::check(text, 100));
  Result<Input> read = read_input(text, true);
  if (!read) FAIL(read.error().message());
  return std::move(*read);
}

InputPart only(const std::string& text) {
  Input input = good(text);
  CHECK_FALSE(input.list);
  REQUIRE(input.parts.size() == 1);
  return std::move(input.parts[0]);
}

void check_refused(const std::string& text, const std::string& part,
                   ErrorKind kind = ErrorKind::invalid_params) {
  INFO(text);
  const Result<Input> read = read_input(text, true);
  REQUIRE(read.has_error());
  CHECK(read.error().kind() == kind);
  CHECK_THAT(read.error().message(), Catch::Contains(part));
}

detail::SharedText shared(std::string text) { return {std::move(text)}; }

std::string nested(unsigned depth, const std::string& core = "") {
  return std::string(depth, '[') + core + std::string(depth, ']');
}

}  // namespace

TEST_CASE("null and nothing are no input") {
  for (const std::string text : {"", "null", " null "}) {
    const Input input = *read_input(text, false);
    CHECK_FALSE(input.list);
    CHECK(input.parts.empty());
  }
}

TEST_CASE("what is no object with content is shorthand for one") {
  for (const std::string text :
       {"\"hi\"", "1e999", "true", "{}", R"({"a":{"content":1}})", R"({"$agent":{"host":"h"}})"}) {
    CHECK(*only(text).message.content == text);
  }
}

TEST_CASE("a message's members are read, and its content is left as it is") {
  const InputPart part = only(
      R"({"id":"i","name":"n\u0061","role":"user","content": { "a":1, "a":1E5 } ,"metadata":{"m":1},"timestamp":"t"})");
  CHECK(*part.message.content == R"({ "a":1, "a":1E5 })");
  CHECK(*part.message.metadata == R"({"m":1})");
  const detail::Labels& labels = part.message.labels;
  CHECK(labels.text(detail::Label::id) == "i");
  CHECK(labels.text(detail::Label::name) == "na");
  CHECK(labels.text(detail::Label::role) == "user");
  CHECK(labels.text(detail::Label::timestamp) == "t");
  CHECK(part.holes.empty());
  CHECK_FALSE(only(R"({"content":null,"metadata":null})").message.metadata);
  CHECK(*only(R"({"cont\u0065nt":null})").message.content == "null");
}

TEST_CASE("members beside content are refused by name") {
  check_refused(R"({"content":1,"contents":2})",
                "unknown member \"contents\" beside \"content\" (did you mean \"content\"?)");
  check_refused(R"({"content":1,"$placeholder":2})", "unknown member \"$placeholder\"");
  check_refused(R"({"content":1,"name":null})", "member \"name\" of a message is null; it takes a string");
  check_refused(R"({"content":1,"metadata":[]})", "it takes an object or null");
}

TEST_CASE("a member twice in a message's envelope is an invalid request") {
  check_refused(R"({"content":1,"content":2})", "given twice", ErrorKind::invalid_request);
  check_refused(R"({"content":1,"role":"a","r\u006fle":"b"})", "\"role\"", ErrorKind::invalid_request);
}

TEST_CASE("an array is a list of inputs, and an array inside it is content") {
  const Input input = good("[1, {\"content\":2,\"name\":\"n\"}, [3, [4]], " + there + ", null]");
  CHECK(input.list);
  REQUIRE(input.parts.size() == 5);
  CHECK(*input.parts[0].message.content == "1");
  CHECK(input.parts[1].message.labels.text(detail::Label::name) == "n");
  CHECK(*input.parts[2].message.content == "[3, [4]]");
  CHECK(input.parts[3].whole);
  CHECK(*input.parts[4].message.content == "null");
  CHECK(good("[]").list);
  CHECK(good("[]").parts.empty());
}

TEST_CASE("a placeholder is a whole input, or a content's part") {
  const InputPart whole = only(there);
  REQUIRE(whole.whole);
  CHECK(whole.whole->node.host == "10.0.0.2");
  CHECK(whole.whole->node.port == 12001);
  CHECK(whole.whole->call.text() == id);
  CHECK_FALSE(whole.message.content);

  const InputPart content = only(R"({"content":)" + there + "}");
  CHECK_FALSE(content.whole);
  REQUIRE(content.holes.size() == 1);
  CHECK(fill(content, {shared("[7]")}) == "[7]");

  const InputPart inside = only(R"({"a":[1, )" + there + R"( ,2],"b":)" + there + "}");
  REQUIRE(inside.holes.size() == 2);
  CHECK(fill(inside, {shared("{}"), shared("\"x\"")}) == R"({"a":[1, {} ,2],"b":"x"})");
  CHECK(fill(inside, {detail::SharedText()}) == R"({"a":[1, null ,2],"b":null})");

  const Input list = good("[[" + there + "]]");
  REQUIRE(list.parts.at(0).holes.size() == 1);
  CHECK(fill(list.parts[0], {shared("5")}) == "[5]");
}

TEST_CASE("a placeholder's name may be written with escapes") {
  CHECK(only(R"({"\u0024placeholder":)" + body + "}").whole);
  CHECK(good(R"([[{"\u0024pl\u0061ceholder":)" + body + "}]]").parts.at(0).holes.size() == 1);
}

TEST_CASE("a malformed placeholder is refused, wherever it is") {
  const auto malformed = [](const std::string& inner, const std::string& part) {
    check_refused(R"({"$placeholder":)" + inner + "}", part);
    check_refused(R"([[{"$placeholder":)" + inner + "}]]", part);
    check_refused(R"({"content":{"a":{"$placeholder":)" + inner + "}}}", part);
  };
  const std::string call = R"("call":")" + id + '"';
  malformed("1", "this one has 1");
  malformed("{}", "\"host\" is missing");
  malformed(R"({"host":"","port":1,)" + call + "}", "\"host\" is \"\"");
  malformed(R"({"host":"a b","port":1,)" + call + "}", "\"host\" is \"a b\"");
  malformed(R"({"host":"a/b","port":1,)" + call + "}", "\"host\" is");
  malformed(R"({"host":"a\nb","port":1,)" + call + "}", "\"host\" is");
  malformed(R"({"host":")" + std::string(254, 'h') + R"(","port":1,)" + call + "}", "\"host\" is");
  malformed(R"({"host":1,"port":1,)" + call + "}", "\"host\" is 1");
  malformed(R"({"host":"h","port":0,)" + call + "}", "\"port\" is 0");
  malformed(R"({"host":"h","port":65536,)" + call + "}", "from 1 to 65535");
  malformed(R"({"host":"h","port":"1",)" + call + "}", "\"port\" is \"1\"");
  malformed(R"({"host":"h","port":1.0,)" + call + "}", "\"port\" is 1.0");
  malformed(R"({"host":"h","port":1,"call":"x"})", "\"call\" is \"x\"");
  malformed(R"({"host":"h","port":1})", "\"call\" is missing");
  malformed(R"({"host":"h","host":"h","port":1,)" + call + "}", "\"host\" twice");
  malformed(R"({"host":"h","port":1,"x":1,)" + call + "}", "also has \"x\"");
  malformed(there, "also has \"$placeholder\"");
}

TEST_CASE("an object with other members beside the placeholder is data") {
  const std::string text = R"({"$placeholder":{},"more":1})";
  const InputPart part = only(text);
  CHECK(part.holes.empty());
  CHECK(*part.message.content == text);
  // What is inside such an object is looked at all the same.
  const InputPart outer = only(R"({"x":{"$placeholder":)" + there + R"(,"more":1}})");
  CHECK(outer.holes.size() == 1);
  CHECK(only(R"({"a":"$placeholder","$literal":1})").holes.empty());
  CHECK(only(R"("$placeholder")").holes.empty());
}

TEST_CASE("a literal passes as it is, unscanned") {
  const std::string data = R"({"$placeholder":"no such"})";
  CHECK(*only(R"({"$literal":)" + data + "}").message.content == data);
  const InputPart message = only(R"({"content":{"$literal": )" + data + " }}");
  CHECK(*message.message.content == data);
  CHECK(message.holes.empty());
  const InputPart inside = only(R"({"a":{"$literal":[)" + data + "," + there + R"(]},"b":)" + there + "}");
  REQUIRE(inside.holes.size() == 2);
  CHECK_FALSE(inside.holes[0].placeholder);
  CHECK(fill(inside, {detail::SharedText(), shared("1")}) ==
        R"({"a":[)" + data + "," + there + R"(],"b":1})");
  CHECK(*only(R"({"$literal":{"content":1}})").message.content == R"({"content":1})");
  CHECK(*only(R"({"$literal":{"$literal":1}})").message.content == R"({"$literal":1})");
}

TEST_CASE("a content may be nested 64 deep") {
  CHECK(only(nested(0, "1")).holes.empty());
  CHECK(only(R"({"content":)" + nested(64) + "}").message.content);
  CHECK(good("[" + nested(64) + "]").list);
  CHECK(only(R"({"$literal":)" + nested(64) + "}").message.content);
  CHECK(only(R"({"content":{"$literal":)" + nested(64) + "}}").message.content);
  CHECK(only(R"({"content":)" + nested(64, there) + "}").holes.size() == 1);
  check_refused(R"({"content":)" + nested(65) + "}", "nested deeper than 64", ErrorKind::parse_error);
  check_refused(R"({"$literal":)" + nested(65) + "}", "nested deeper than 64", ErrorKind::parse_error);
  check_refused(R"({"content":1,"metadata":{"a":)" + nested(64) + "}}", "nested deeper than 64",
                ErrorKind::parse_error);
  CHECK(read_input(R"({"content":)" + nested(65) + "}", false).has_value());
}

TEST_CASE("parts and holes are bounded") {
  const auto list = [](const std::string& element, std::size_t count) {
    std::string text = "[" + element;
    for (std::size_t i = 1; i < count; ++i) text += "," + element;
    return text + "]";
  };
  CHECK(good(list("1", 10'000)).parts.size() == 10'000);
  check_refused(list("1", 10'001), "more than 10000 elements");
  const std::string literal = R"({"$literal":0})";
  CHECK(only("{\"content\":" + list(literal, 10'000) + "}").holes.size() == 10'000);
  check_refused("{\"content\":" + list(literal, 10'001) + "}", "more than 10000 placeholders");
}

TEST_CASE("nested marks are found in one pass") {
  // Each opening looks like a placeholder until its second member comes.
  std::string text = "0";
  for (int i = 0; i < 60; ++i)
    text = R"({"$placeholder":)" + text + R"(,"x":")" + std::string(1000, 'x') + "\"}";
  CHECK(only(text).holes.empty());
}

TEST_CASE("only a content with such objects in it needs a literal") {
  CHECK(needs_literal(there));
  CHECK(needs_literal("[{\"$literal\" : 1}]"));
  CHECK(needs_literal(R"({"a":{"\u0024literal":1}})"));
  CHECK_FALSE(needs_literal(R"({"a":"$literal"})"));
  CHECK_FALSE(needs_literal(R"({"$literal":1,"b":2})"));
  CHECK_FALSE(needs_literal("\"cost: 5$\""));
  CHECK_FALSE(needs_literal("1"));
}
