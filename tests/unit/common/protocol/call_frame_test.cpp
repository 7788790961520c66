#include "common/protocol/call_frame.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "common/protocol/envelope.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

const std::string first_id = "01JABCDEFGHJKMNPQRSTVWXYZ0";
const std::string second_id = "01JABCDEFGHJKMNPQRSTVWXYZ1";

std::string notification(const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0","method":")" + method + R"(","params":)" + params + '}';
}

/// `more`: members behind `settled`.
std::string call(const std::string& more = "", const std::string& agent = "echo",
                 const std::string& id = first_id) {
  return notification("agent.call",
                      R"({"agent":")" + agent + R"(","call":")" + id + R"(","settled":"auto")" + more + '}');
}

std::string call_with(const std::string& input) { return call(",\"input\":" + input); }

std::string release(const std::string& ids) {
  return notification("call.release", R"({"calls":[)" + ids + "]}");
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string nested(unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string written(const Input& input) {
  std::string text = input.list ? "list" : "one";
  for (const InputPart& part : input.parts) append_message(text += ' ', part.message);
  return text;
}

std::string summary(std::string_view agent, std::string_view method, const CallId& call,
                    std::optional<Milliseconds> deadline, const Input& input) {
  return std::string(agent) + '.' + std::string(method) + ' ' + std::string(call.text()) + ' ' +
         (deadline ? std::to_string(deadline->count()) : "-") + ' ' + written(input);
}

std::string summary(const std::vector<CallId>& released) {
  std::string text = "release";
  for (const CallId& id : released) text += ' ' + std::string(id.text());
  return text;
}

std::string summary(const CallFrame::Notice& notice) {
  if (const auto* released = std::get_if<ReleaseNotice>(&notice)) return summary(released->calls);
  const auto& call = std::get<CallNotice>(notice);
  Input input = *read_input(call.input, true);
  if (call.message) {
    CHECK(call.message->whole == call.input);
    input = {};
    input.parts.emplace_back().message = copy_message(*call.message);
  }
  return summary(call.agent, call.method, call.call, call.deadline, input);
}

/// By the reader that knows every form.
std::string summary(const Envelope& envelope) {
  REQUIRE(envelope.kind == Envelope::Kind::notification);
  if (envelope.method == "call.release") return summary(read_release_params(envelope.params)->calls);
  const auto call = read_call_params(envelope.params, envelope.ends);
  REQUIRE(call.has_value());
  CHECK(call->settled == SettledMode::automatic);
  return summary(call->agent, call->method, call->call, call->deadline,
                 *read_input(call->input, true, envelope.ends));
}

}  // namespace

TEST_CASE("a frame of calls and releases is read as in any other form") {
  CallFrame frame;
  for (const std::string& text : {
           call(),
           '[' + call() + ']',
           '[' + call() + ',' + release(quoted(second_id)) + ',' + call("", "b", second_id) + ']',
           release(quoted(first_id) + ',' + quoted(second_id)),
           call(R"(,"deadline_ms":1)"),
           call(R"(,"input":{"content":"hello, tide"},"deadline_ms":10000000000)"),
           notification("agent.call", R"({"agent":"a","method":"outline","call":")" + first_id +
                                          R"(","settled":"auto","input":"x"})"),
           call_with(
               R"({"id":"i","name":"","role":"user","content":[1.50],"metadata":{"a":1},"timestamp":"t"})"),
           call_with(R"({"role":"user","content":"a\nb"})"),
           call_with(R"({"content":"é"})"),
           call_with(R"({"content":)" + nested(64) + '}'),
           call_with("null"),
           call_with("[1,{\"content\":2}]"),
           call_with(R"({"content":1,"metadata":null})"),
           call_with(R"({"content":1,"name":"a\"b"})"),
           call_with(R"({"not_a_message":true})"),
           call_with(nested(64)),
       }) {
    CAPTURE(text);
    REQUIRE(frame.read(text));
    FrameReader reader;
    REQUIRE_FALSE(reader.open(text));
    Envelope envelope;
    for (const CallFrame::Notice& notice : frame.notices()) {
      REQUIRE(reader.next(envelope));
      CHECK(summary(notice) == summary(envelope));
    }
    CHECK_FALSE(reader.next(envelope));
  }
}

TEST_CASE("a frame with anything else in it is left to the reader that knows it") {
  CallFrame frame;
  for (const std::string& text : {
           std::string(),
           std::string("[]"),
           ' ' + call(),
           call() + ' ',
           call() + call(),
           '[' + call(),
           '[' + call() + ",]",
           '[' + call() + ",1]",
           '[' + call() + R"(,{"jsonrpc":"2.0","id":1,"method":"node.info"}])",
           call("", "a b"),
           call("", ""),
           call("", "a", "short"),
           call("", "a", "01JABCDEFGHJKMNPQRSTVWXY\xc3\xa9"),
           call(R"(,"deadline_ms":0)"),
           call(R"(,"deadline_ms":10000000001)"),
           call(R"(,"deadline_ms":1e3)"),
           call(R"(,"deadline_ms":"1")"),
           call(R"(,"wait_ms":1)"),
           call(R"(,"deadline_ms":1,"input":1)"),
           call(R"(,"input":1,"input":2)"),
           notification("agent.call",
                        R"({"agent":"a","method":"","call":")" + first_id + R"(","settled":"auto"})"),
           notification("agent.call", R"({"agent":"a"})"),
           notification("call.release", R"({"calls":[]})"),
           notification("call.release", R"({"calls":[1]})"),
           release(quoted(first_id) + ','),
           release(quoted("short")),
           call_with("01"),
           call_with("\"\xff\""),
           call_with("{\"content\":\"\xff\"}"),
           call_with(R"({"content":1,})"),
           call_with(R"({"content":1)"),
           call_with(R"({"content":)" + nested(65) + '}'),
           call_with(nested(65)),
       }) {
    CAPTURE(text);
    CHECK_FALSE(frame.read(text));
  }
}
