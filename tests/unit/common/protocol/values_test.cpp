#include "common/protocol/values.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "common/json/text.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

const std::string id = "01JABCDEFGHJKMNPQRSTVWXYZ0";

detail::SharedText shared(std::string text) { return {std::move(text)}; }

std::string stamp(std::int64_t microseconds) {
  std::string out;
  append_timestamp(out, std::chrono::system_clock::time_point(std::chrono::microseconds(microseconds)));
  return out;
}

}  // namespace

TEST_CASE("a message is written with the members that are given, in one order") {
  std::string out;
  append_message(out, {});
  CHECK(out == R"({"content":null})");
  out.clear();
  detail::MessageData data;
  data.content = shared("[1]");
  data.metadata = shared("{}");
  data.labels = detail::Labels({"n\"", "assistant", "i", "t"});
  append_message(out, data);
  CHECK(out == R"({"id":"i","name":"n\"","role":"assistant","content":[1],"metadata":{},"timestamp":"t"})");

  const auto read = read_message(out);
  REQUIRE(read.has_value());
  CHECK(*read->content == "[1]");
  CHECK(*read->metadata == "{}");
  CHECK(read->labels.text(detail::Label::name) == "n\"");
  CHECK(read->labels.text(detail::Label::role) == "assistant");
  CHECK(read->labels.text(detail::Label::id) == "i");
  CHECK(read->labels.text(detail::Label::timestamp) == "t");
}

TEST_CASE("a name that is no UTF-8 is still written as JSON") {
  detail::MessageData data;
  data.labels = detail::Labels({.name = "\xff"});
  std::string out;
  append_message(out, data);
  CHECK_FALSE(json::check(out, 80));
}

TEST_CASE("an input message wraps a content that would be taken for a placeholder") {
  detail::MessageData data;
  data.content = shared(R"([{"$literal":1}])");
  std::string out;
  append_input_message(out, data);
  CHECK(out == R"({"content":{"$literal":[{"$literal":1}]}})");
  const auto read = read_input(out, true);
  REQUIRE(read.has_value());
  CHECK(*read->parts.at(0).message.content == *data.content);
  CHECK(read->parts[0].holes.empty());
  out.clear();
  data.content = shared("\"5 $\"");
  append_input_message(out, data);
  CHECK(out == R"({"content":"5 $"})");
}

TEST_CASE("an outcome's value is taken as it is") {
  const auto read = read_message(R"({"content":{"$placeholder":1},"metadata":null,"other":[]})");
  REQUIRE(read.has_value());
  CHECK(*read->content == R"({"$placeholder":1})");
  CHECK_FALSE(read->metadata);
  for (const std::string_view wrong :
       {"1", "[]", "null", "{}", R"({"name":1,"content":1})", R"({"metadata":1,"content":1})"}) {
    const auto refused = read_message(wrong);
    REQUIRE(refused.has_error());
    CHECK(refused.error().kind() == ErrorKind::invalid_params);
  }
}

TEST_CASE("a message's labels stay as they came until they are read") {
  const auto read = read_message(R"({"name":"n\u0061","role":"","content":null})");
  REQUIRE(read.has_value());
  CHECK(read->labels.token(detail::Label::name) == R"("n\u0061")");
  CHECK(read->labels.text(detail::Label::name) == "na");
  CHECK(read->labels.text(detail::Label::role).empty());
  std::string out;
  append_message(out, *read);
  CHECK(out == R"({"name":"n\u0061","content":null})");
}

TEST_CASE("a placeholder is written and read back") {
  const Placeholder placeholder{{"fe80::1", 65535}, *CallId::parse(id)};
  std::string out;
  append_placeholder(out, placeholder);
  CHECK(out == R"({"$placeholder":{"host":"fe80::1","port":65535,"call":")" + id + "\"}}");
  CHECK(*read_placeholder(" " + out + " ") == placeholder);
  for (const std::string_view wrong : {"1", "{}", R"({"placeholder":{}})", R"({"$placeholder":{}})"}) {
    CHECK(read_placeholder(wrong).has_error());
  }
  const std::string shouted = R"({"$placeholder":{"host":"LocalHost","port":1,"call":")" + id + "\"}}";
  CHECK(read_placeholder(shouted)->node.host == "localhost");
  const std::string bracketed = R"({"$placeholder":{"host":"[::1]","port":1,"call":")" + id + "\"}}";
  CHECK_THAT(read_placeholder(bracketed).error().message(), Catch::Contains("without brackets"));
  out.insert(1, R"("x":1,)");
  CHECK(read_placeholder(out).has_error());
}

TEST_CASE("a timestamp is RFC 3339 in UTC with microseconds") {
  CHECK(stamp(0) == "1970-01-01T00:00:00.000000Z");
  CHECK(stamp(1'709'251'199'999'999) == "2024-02-29T23:59:59.999999Z");
  CHECK(stamp(1'709'251'200'000'001) == "2024-03-01T00:00:00.000001Z");
  CHECK(stamp(1'709'251'199'000'020) == "2024-02-29T23:59:59.000020Z");
  CHECK(stamp(-1) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("a content keeps no more of its message in memory than little") {
  const std::string content = R"({"x":1})";
  const auto copied = [&](const std::string& metadata, const std::string& name) {
    const std::string text =
        R"({"name":")" + name + R"(","content":)" + content + R"(,"metadata":)" + metadata + '}';
    return *read_message(text);
  };
  const auto usual = copied("{}", "a");
  CHECK(usual.content.use_count() == 2);  // Its labels hold the same text.
  for (const auto& large :
       {copied(R"({"m":")" + std::string(600, 'x') + "\"}", "a"), copied("{}", std::string(600, 'x'))}) {
    CHECK(large.content.use_count() == 1);
    CHECK(*large.content == content);
  }
  CHECK(usual.metadata.use_count() == 1);
}
