#include <catch2/catch.hpp>
#include <string>

#include "common/json/text.hpp"
#include "common/protocol/params.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

constexpr std::string_view id = "01JABCDEFGHJKMNPQRSTVWXYZ0";

CallParams good(std::string_view text) {
  INFO(text);
  const auto fault = json::check(text, 80);
  REQUIRE_FALSE(fault);
  Result<CallParams> read = read_call_params(text);
  if (!read) FAIL(read.error().message());
  return std::move(*read);
}

void check_refused(std::string_view text, ErrorKind kind, const std::string& part) {
  INFO(text);
  const Result<CallParams> read = read_call_params(text);
  REQUIRE(read.has_error());
  CHECK(read.error().kind() == kind);
  CHECK_THAT(read.error().message(), Catch::Contains(part));
}

void check_wrong(std::string_view text, const std::string& part) {
  check_refused(text, ErrorKind::invalid_params, part);
}

std::string with(std::string_view member) { return R"({"agent":"a",)" + std::string(member) + "}"; }

}  // namespace

TEST_CASE("a call needs an agent only") {
  const CallParams read = good(R"({"agent":"echo-1"})");
  CHECK(read.agent == "echo-1");
  CHECK(read.method == "reply");
  CHECK(read.input.empty());
  CHECK(read.call.empty());
  CHECK_FALSE(read.deadline);
  CHECK_FALSE(read.wait);
  CHECK_FALSE(read.release);
  CHECK(read.settled == SettledMode::value);
  CHECK(read.caller.empty());
  CHECK(read.path.empty());
}

TEST_CASE("all params of a call are read") {
  const std::string text = R"({"agent":"a","method":"outline","input":{"content": 1e400},"call":")" +
                           std::string(id) +
                           R"(","deadline_ms":1,"wait_ms":0,"release":true,"settled":"auto",)"
                           R"("caller":"s/1:2","path":["h:1/a","[::1]:2/b"]})";
  const CallParams read = good(text);
  CHECK(read.method == "outline");
  CHECK(read.input == R"({"content": 1e400})");
  CHECK(read.call.text() == id);
  CHECK(read.deadline == Milliseconds(1));
  CHECK(read.wait == Milliseconds(0));
  CHECK(read.release);
  CHECK(read.settled == SettledMode::automatic);
  CHECK(read.caller == "s/1:2");
  CHECK(read.path == std::vector<std::string>{"h:1/a", "[::1]:2/b"});
}

TEST_CASE("names and values of a call may be written with escapes") {
  CallParams read =
      good(R"({"\u0061gent":"\u0061-1","m\u0065thod":"\u006f","caller":"\u0063","call":"\u003)" +
           std::string("0") + std::string(id.substr(1)) + R"("})");
  // The views stay good when the params move on.
  const CallParams moved = std::move(read);
  CHECK(moved.agent == "a-1");
  CHECK(moved.method == "o");
  CHECK(moved.caller == "c");
  CHECK(moved.call.text() == id);
}

TEST_CASE("an unknown param of a call is named, with the near one") {
  check_wrong(with(R"("foo":1)"), R"(unknown param "foo" of agent.call; it takes agent, method, input,)");
  check_wrong(with(R"("deadline":1)"), R"((did you mean "deadline_ms"?))");
  check_wrong(with(R"("Method":"x")"), R"((did you mean "method"?))");
  check_wrong(with(R"("":1)"), R"(unknown param "")");
}

TEST_CASE("a param of a call given twice is an invalid request") {
  check_refused(R"({"agent":"a","agent":"a"})", ErrorKind::invalid_request,
                "\"agent\" of agent.call is given twice");
  check_refused(with(R"("input":1,"inpu\u0074":2)"), ErrorKind::invalid_request, "\"input\"");
}

TEST_CASE("params of a call go by name") {
  check_wrong("", "param \"agent\" of agent.call is missing");
  check_wrong("{}", "\"agent\" of agent.call is missing");
  check_wrong(" [ ] ", "\"agent\" of agent.call is missing");
  check_wrong(R"(["a"])", "go by name");
}

TEST_CASE("an agent id is checked") {
  check_wrong(R"({"agent":""})", "an agent id");
  check_wrong(R"({"agent":"a b"})", "is \"a b\"");
  check_wrong(R"({"agent":7})", "is 7");
  check_wrong(R"({"agent":null})", "is null");
  check_wrong(R"({"agent":")" + std::string(129, 'a') + "\"}", "...");
}

TEST_CASE("times are whole numbers of milliseconds") {
  CHECK(good(with(R"("deadline_ms":10000000000)")).deadline == Milliseconds(10'000'000'000));
  for (const std::string value :
       {"0", "-1", "1.0", "1e3", "10000000001", "99999999999999999999", "\"5\"", "null", "[]"}) {
    check_wrong(with("\"deadline_ms\":" + value), "param \"deadline_ms\" of agent.call is " + value +
                                                      "; it takes a whole number of milliseconds from 1");
  }
  check_wrong(with(R"("wait_ms":-1)"), "from 0 to 10000000000");
  check_wrong(with(R"("wait_ms":1.5)"), "is 1.5");
}

TEST_CASE("the other params of a call are checked") {
  check_wrong(with(R"("method":"")"), "a method's name");
  check_wrong(with(R"("method":null)"), "a method's name");
  check_wrong(with(R"("method":")" + std::string(129, 'm') + '"'), "a method's name");
  check_wrong(with(R"("call":"short")"), "a call id");
  check_wrong(with(R"("call":1234567890123456)"), "a call id");
  check_wrong(with(R"("release":1)"), "true or false");
  check_wrong(with(R"("release":"true")"), "true or false");
  check_wrong(with(R"("settled":"never")"), R"("value", "state" or "auto")");
  check_wrong(with(R"("settled":true)"), R"("value", "state" or "auto")");
  check_wrong(with(R"("caller":"a b")"), "a caller id");
  check_wrong(with(R"("path":"a")"), "a list of at most 1024");
  check_wrong(with(R"("path":[1])"), "a list of at most 1024");
  check_wrong(with(R"("path":[""])"), "a list of at most 1024");
  check_wrong(with(R"("path":["x"])"), "a list of at most 1024");
  check_wrong(with(R"("path":["h:1/"])"), "a list of at most 1024");
}

TEST_CASE("a path has at most 1024 agents") {
  std::string entries = "\"h:1/a\"";
  for (int i = 1; i < 1024; ++i) entries += ",\"h:1/a\"";
  CHECK(good(with("\"path\":[" + entries + "]")).path.size() == 1024);
  check_wrong(with("\"path\":[" + entries + ",\"h:1/a\"]"), "at most 1024");
}

TEST_CASE("an outgoing call is read back as it was") {
  const std::vector<std::string> path = {"h:1/a", "h:2/b"};
  OutgoingCall call;
  call.agent = "b";
  call.method = "say \"x\"";
  call.call = id;
  call.input = R"({"content":[1]})";
  call.deadline = Milliseconds(1500);
  call.settled = SettledMode::automatic;
  call.caller = "session";
  call.path = &path;
  std::string text;
  append_call_params(text, call);
  const CallParams read = good(text);
  CHECK(read.agent == call.agent);
  CHECK(read.method == call.method);
  CHECK(read.call.text() == call.call);
  CHECK(read.input == call.input);
  CHECK(read.deadline == call.deadline);
  CHECK(read.settled == call.settled);
  CHECK(read.caller == call.caller);
  CHECK(read.path == path);
}

TEST_CASE("an outgoing call leaves out what is as usual") {
  OutgoingCall call;
  call.agent = "b";
  call.method = "reply";
  std::string text;
  append_call_params(text, call);
  CHECK(text == R"({"agent":"b"})");
}

TEST_CASE("params in the usual form are read as in any other") {
  const std::string begin = R"({"agent":"a","call":")" + std::string(id) + R"(","settled":"auto")";
  for (const std::string& text : {
           begin + "}",
           begin + R"(,"input":{"content":"x"},"deadline_ms":7})",
           begin + R"(,"input":[1,{"$literal":2}]})",
           begin + R"(,"input":null,"deadline_ms":7,"wait_ms":3})",
           begin + R"(,"deadline_ms":7,"input":"x"})",
           begin + R"(,"input":"x","input":"y"})",
           begin + R"(,"input":"x","deadline_ms":0})",
           begin + R"(,"input":"x","agent":"b"})",
           begin + R"(,"input":"x","unknown":1})",
           R"({"agent":"","call":")" + std::string(id) + R"(","settled":"auto","input":"x"})",
           R"({"agent":"\u0061","call":")" + std::string(id) + R"(","settled":"auto","input":"x"})",
           std::string(R"({"agent":"a","call":"short","settled":"auto","input":"x"})"),
       }) {
    INFO(text);
    json::Ends ends;
    REQUIRE_FALSE(json::check(text, 80, nullptr, &ends));
    const Result<CallParams> usual = read_call_params(text, &ends);
    const Result<CallParams> any = read_call_params(text);
    REQUIRE(usual.has_value() == any.has_value());
    if (!any) {
      CHECK(usual.error().message() == any.error().message());
      continue;
    }
    CHECK(usual->agent == any->agent);
    CHECK(usual->method == any->method);
    CHECK(usual->call == any->call);
    CHECK(usual->input == any->input);
    CHECK(usual->deadline == any->deadline);
    CHECK(usual->wait == any->wait);
    CHECK(usual->settled == any->settled);
  }
}
