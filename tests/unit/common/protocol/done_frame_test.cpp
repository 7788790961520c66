#include "common/protocol/done_frame.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "common/protocol/envelope.hpp"
#include "common/protocol/params.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

const std::string first_id = "01JABCDEFGHJKMNPQRSTVWXYZ0";
const std::string second_id = "01JABCDEFGHJKMNPQRSTVWXYZ1";

std::string value(const std::string& content, const std::string& name = "echo") {
  return R"({"id":"i","name":")" + name + R"(","role":"assistant","content":)" + content +
         R"(,"timestamp":"2026-01-01T00:00:00.000000Z"})";
}

std::string notice(const std::string& id, const std::string& value, const std::string& state = "done") {
  return R"({"jsonrpc":"2.0","method":"call.settled","params":{"call":")" + id + R"(","state":")" + state +
         R"(","value":)" + value + "}}";
}

std::string written(const detail::MessageData& data) {
  std::string text;
  append_message(text, data);
  return text;
}

/// The call and the value of each notice in the frame, by the reader that knows every form.
std::vector<std::pair<std::string, std::string>> read_in_any_form(const std::string& text) {
  FrameReader frame;
  REQUIRE_FALSE(frame.open(text));
  std::vector<std::pair<std::string, std::string>> all;
  for (Envelope envelope; frame.next(envelope);) {
    REQUIRE(envelope.method == "call.settled");
    const auto read = read_settled(envelope.params, envelope.ends);
    REQUIRE(read.has_value());
    all.emplace_back(read->call.text(), written(*read_message(read->value, envelope.ends)));
  }
  return all;
}

std::string nested(unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("a frame of calls that are done is read as in any other form") {
  DoneFrame frame;
  for (const std::string& text : {
           notice(first_id, value(R"("hello")")),
           '[' + notice(first_id, value("[1,{\"x\":2.50}]")) + ']',
           '[' + notice(first_id, value("null")) + ',' + notice(second_id, value(R"("a\nb")")) + ']',
           notice(first_id, value("\"\xc3\xa9\"", "\xc3\xa9")),
           notice(first_id, value("1", "")),
           notice(first_id, value(nested(77))),
           notice(first_id, R"({"content":1})"),
           notice(first_id, value(R"(1,"metadata":{"a":[]})")),
       }) {
    CAPTURE(text);
    REQUIRE(frame.read(text));
    std::vector<std::pair<std::string, std::string>> read;
    for (const DoneNotice& done : frame.notices()) {
      read.emplace_back(done.call.text(), written(copy_message(done.value)));
    }
    CHECK(read == read_in_any_form(text));
  }
}

TEST_CASE("a frame with anything else in it is left to the reader that knows every form") {
  DoneFrame frame;
  const std::string good = notice(first_id, value("1"));
  for (const std::string& text : {
           std::string(),
           std::string("[]"),
           ' ' + good,
           good + ' ',
           good + good,
           '[' + good,
           '[' + good + ",]",
           '[' + good + ",1]",
           '[' + good + R"(,{"jsonrpc":"2.0","id":1,"result":{}}])",
           notice(first_id, value("1"), "failed"),
           notice("short", value("1")),
           notice("01JABCDEFGHJKMNPQRSTVWXY\xc3\xa9", value("1")),
           notice(first_id, R"({"name":"a"})"),
           notice(first_id, R"({"content":1,"name":"a"})"),
           notice(first_id, "1"),
           notice(first_id, value("1", "a\\n")),
           notice(first_id, value("1", "\xff")),
           notice(first_id, value("\"\xff\"")),
           notice(first_id, value("01")),
           notice(first_id, value(R"(1,"metadata":null)")),
           notice(first_id, value(nested(78))),
       }) {
    CAPTURE(text);
    CHECK_FALSE(frame.read(text));
  }
}
