#include "common/protocol/envelope.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace agentd;
using namespace agentd::protocol;
using Kind = Envelope::Kind;

namespace {

/// Reads one text that is no batch, and keeps it for what the envelope shows of it.
struct One {
  explicit One(std::string_view from) : text(from) {
    FrameReader frame;
    REQUIRE_FALSE(frame.open(text));
    REQUIRE_FALSE(frame.is_batch());
    REQUIRE(frame.next(envelope));
    Envelope more;
    REQUIRE_FALSE(frame.next(more));
  }
  std::string text;
  Envelope envelope;
};

void check_invalid(std::string_view text, std::string_view id, std::string_view part_of_message) {
  INFO(text);
  const One one(text);
  CHECK(one.envelope.kind == Kind::invalid);
  CHECK(one.envelope.id == id);
  REQUIRE(one.envelope.problem);
  CHECK(one.envelope.problem->kind() == ErrorKind::invalid_request);
  CHECK_THAT(one.envelope.problem->message(), Catch::Contains(std::string(part_of_message)));
}

Error fault_of(std::string_view text) {
  FrameReader frame;
  const auto fault = frame.open(text);
  REQUIRE(fault);
  return *fault;
}

std::string nested(unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("a request has its method, params and id as they stand in the text") {
  const One one(R"( {"jsonrpc":"2.0", "id" : 7.50, "method":"agent.call","params": {"agent" : "a"} } )");
  CHECK(one.envelope.kind == Kind::request);
  CHECK(one.envelope.method == "agent.call");
  CHECK(one.envelope.id == "7.50");
  CHECK(one.envelope.params == R"({"agent" : "a"})");
}

TEST_CASE("an id keeps its type") {
  CHECK(One(R"({"jsonrpc":"2.0","method":"m","id":"7"})").envelope.id == "\"7\"");
  CHECK(One(R"({"jsonrpc":"2.0","method":"m","id":0})").envelope.id == "0");
  const One null(R"({"jsonrpc":"2.0","method":"m","id":null})");
  CHECK(null.envelope.id == "null");
  CHECK(null.envelope.kind == Kind::request);
}

TEST_CASE("a valid request object without an id is a notification") {
  const One one(R"({"jsonrpc":"2.0","method":"m","params":[]})");
  CHECK(one.envelope.kind == Kind::notification);
  CHECK(one.envelope.params == "[]");
  CHECK(one.envelope.id.empty());
}

TEST_CASE("a notification in the usual form is told from what only begins like one") {
  const std::string begin = R"({"jsonrpc":"2.0","method":"call.settled","params":{"a":[1]})";
  const One usual(begin + "}");
  CHECK(usual.envelope.kind == Kind::notification);
  CHECK(usual.envelope.method == "call.settled");
  CHECK(usual.envelope.params == R"({"a":[1]})");
  const One request(begin + R"(,"id":1})");
  CHECK(request.envelope.kind == Kind::request);
  CHECK(request.envelope.id == "1");
  check_invalid(begin + R"(,"params":{}})", "", "\"params\" is given twice");
  check_invalid(begin + R"(,"method":"x","id":2})", "2", "\"method\" is given twice");
  const One escaped(R"({"jsonrpc":"2.0","method":"call\u002esettled","params":{}})");
  CHECK(escaped.envelope.method == "call.settled");
}

TEST_CASE("an invalid object without an id is no notification") {
  check_invalid(R"({"jsonrpc":"2.0","method":1})", "", "\"method\" is 1");
  check_invalid(R"({"method":"m"})", "", "\"jsonrpc\" is missing");
}

TEST_CASE("an invalid object keeps the id that could be read") {
  check_invalid(R"({"jsonrpc":"2.0","method":"m","params":1,"id":5})", "5", "\"params\" is 1");
  check_invalid(R"({"jsonrpc":"1.0","method":"m","id":"x"})", "\"x\"", "\"jsonrpc\" is \"1.0\"");
  check_invalid(R"({"jsonrpc":2.0,"method":"m","id":"x"})", "\"x\"", "\"jsonrpc\" is 2.0");
  check_invalid(R"({"jsonrpc":"2.0","id":1})", "1", "\"method\" is missing");
}

TEST_CASE("an id of another type is answered with none") {
  check_invalid(R"({"jsonrpc":"2.0","method":"m","id":{}})", "", "\"id\" is an object");
  check_invalid(R"({"jsonrpc":"2.0","method":"m","id":[1]})", "", "\"id\" is an array");
  check_invalid(R"({"jsonrpc":"2.0","method":"m","id":true})", "", "\"id\" is a boolean");
}

TEST_CASE("a member given twice is refused by name") {
  check_invalid(R"({"jsonrpc":"2.0","method":"m","method":"n","id":1})", "1", "\"method\" is given twice");
  check_invalid(R"({"jsonrpc":"2.0","method":"m","id":1,"id":2})", "", "\"id\" is given twice");
  check_invalid(R"({"jsonrpc":"2.0","method":"m","id":1,"x":2,"\u0078":3})", "1", "\"x\" is given twice");
  check_invalid(R"({"jsonrpc":"2.0","method":"m","id":1,"p\u0061rams":{},"params":{}})", "1",
                "\"params\" is given twice");
}

TEST_CASE("a member that JSON-RPC does not know is let pass") {
  const One one(R"({"jsonrpc":"2.0","method":"m","id":1,"trace":"t","":0})");
  CHECK(one.envelope.kind == Kind::request);
}

TEST_CASE("names and values may be written with escapes") {
  const One one(R"({"json\u0072pc":"2\u002e0","\u006dethod":"agent\u002ecall","id":1})");
  CHECK(one.envelope.kind == Kind::request);
  CHECK(one.envelope.method == "agent.call");
}

TEST_CASE("a response has a result or an error, and an id") {
  const One done(R"({"jsonrpc":"2.0","id":3,"result":null})");
  CHECK(done.envelope.kind == Kind::response);
  CHECK(done.envelope.result == "null");
  CHECK(done.envelope.error.empty());
  const One failed(R"({"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}})");
  CHECK(failed.envelope.kind == Kind::response);
  CHECK(failed.envelope.error == R"({"code":1,"message":""})");
  check_invalid(R"({"jsonrpc":"2.0","id":3,"result":1,"error":{}})", "3", "not both");
  check_invalid(R"({"jsonrpc":"2.0","result":1})", "", "\"id\" of a response is missing");
  check_invalid(R"({"jsonrpc":"2.0","id":3,"error":1})", "3", "\"error\" is 1");
}

TEST_CASE("a scalar at the top is an invalid message, not a broken text") {
  for (const std::string_view text : {"1", "\"x\"", "true", "null", " -0.5e3 "}) {
    check_invalid(text, "", "a JSON-RPC message is an object");
  }
}

TEST_CASE("a batch gives its elements one after the other, invalid ones too") {
  FrameReader frame;
  REQUIRE_FALSE(
      frame.open(R"([{"jsonrpc":"2.0","method":"a"}, 1,{"jsonrpc":"2.0","method":"b","id":2},[]])"));
  REQUIRE(frame.is_batch());
  Envelope envelope;
  std::vector<Kind> kinds;
  while (frame.next(envelope)) {
    kinds.push_back(envelope.kind);
    CHECK(envelope.problem.has_value() == (envelope.kind == Kind::invalid));
  }
  CHECK(kinds == std::vector<Kind>{Kind::notification, Kind::invalid, Kind::request, Kind::invalid});
  CHECK_FALSE(frame.next(envelope));
}

TEST_CASE("an empty batch is one invalid request") {
  CHECK(fault_of("[]").kind() == ErrorKind::invalid_request);
  CHECK(fault_of(" [ ] ").kind() == ErrorKind::invalid_request);
}

TEST_CASE("broken JSON is a parse error that says where and why") {
  const Error error = fault_of(R"({"jsonrpc":"2.0","method":"m)");
  CHECK(error.kind() == ErrorKind::parse_error);
  CHECK_THAT(error.message(), Catch::Contains("a string is not closed"));
  CHECK_THAT(error.message(), Catch::Contains("byte 26"));
  CHECK(fault_of("").kind() == ErrorKind::parse_error);
  CHECK_THAT(fault_of("\xef\xbb\xbf{}").message(), Catch::Contains("byte order mark"));
}

TEST_CASE("a frame may be nested as deep as content and envelope together, and a batch one deeper") {
  const auto object = [](unsigned depth) {
    return R"({"jsonrpc":"2.0","method":"m","params":)" + nested(depth) + "}";
  };
  FrameReader frame;
  CHECK_FALSE(frame.open(object(79)));
  CHECK(fault_of(object(80)).kind() == ErrorKind::parse_error);
  CHECK_THAT(fault_of(object(80)).message(), Catch::Contains("an object nested deeper than 80, at byte"));
  CHECK_FALSE(frame.open("[" + object(79) + "]"));
  CHECK(fault_of("[" + object(80) + "]").kind() == ErrorKind::parse_error);
  CHECK_THAT(fault_of("[" + object(80) + "]").message(), Catch::Contains("an object nested deeper than 80"));
  CHECK(fault_of(std::string(200000, '[')).kind() == ErrorKind::parse_error);
}

TEST_CASE("a frame is shallow where no content in it can pass the limit") {
  const auto object = [](unsigned depth) {
    return R"({"jsonrpc":"2.0","method":"m","params":)" + nested(depth) + "}";
  };
  FrameReader frame;
  REQUIRE_FALSE(frame.open(object(63)));
  CHECK(frame.is_shallow());
  REQUIRE_FALSE(frame.open(object(64)));
  CHECK_FALSE(frame.is_shallow());
  REQUIRE_FALSE(frame.open("[" + object(63) + "]"));
  CHECK(frame.is_shallow());
}

TEST_CASE("a reader can be opened again") {
  FrameReader frame;
  REQUIRE_FALSE(frame.open("[1,2]"));
  REQUIRE_FALSE(frame.open("{}"));
  CHECK_FALSE(frame.is_batch());
  CHECK(frame.open("[1"));
  Envelope envelope;
  CHECK_FALSE(frame.next(envelope));
}

TEST_CASE("what is written is read back") {
  std::string text;
  append_request(text, "1", "agent.call", R"({"agent":"a"})");
  CHECK(text == R"({"jsonrpc":"2.0","id":1,"method":"agent.call","params":{"agent":"a"}})");
  text.clear();
  append_notification(text, "call.settled", "");
  CHECK(text == R"({"jsonrpc":"2.0","method":"call.settled"})");
  text.clear();
  append_result(text, "\"a\"", "[1]");
  CHECK(text == R"({"jsonrpc":"2.0","id":"a","result":[1]})");
  text.clear();
  append_result(text, "", "{}");
  CHECK(text == R"({"jsonrpc":"2.0","id":null,"result":{}})");
  text.clear();
  append_error_response(text, "", Error(ErrorKind::parse_error, "no"));
  CHECK(text == R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no",)"
                R"("data":{"kind":"parse_error","retryable":false}}})");
}
