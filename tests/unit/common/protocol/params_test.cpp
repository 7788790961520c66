#include "common/protocol/params.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "common/json/text.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

const std::string id = "01JABCDEFGHJKMNPQRSTVWXYZ0";

template <typename T>
T good(Result<T> read) {
  if (!read) FAIL(read.error().message());
  return std::move(*read);
}

template <typename T>
void check_refused(const Result<T>& read, const std::string& part,
                   ErrorKind kind = ErrorKind::invalid_params) {
  REQUIRE(read.has_error());
  CHECK(read.error().kind() == kind);
  CHECK_THAT(read.error().message(), Catch::Contains(part));
}

std::string nested(unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("an agent is created from its type alone") {
  const auto read = good(read_agent_create_params(R"({"type":"echo"})"));
  CHECK(read.type == "echo");
  CHECK(read.agent.empty());
  CHECK(read.name.empty());
  CHECK(read.args == "{}");
  CHECK(read.options.ordering == Ordering::caller);
  CHECK_FALSE(read.options.deadline);
  CHECK_FALSE(read.options.mailbox);
  CHECK(read.options.state.empty());
}

TEST_CASE("all params of a creation are read") {
  const auto read = good(read_agent_create_params(
      R"({"type":"counter","agent":"c-1","name":"Z\u00e4hler","args":{"start": 1e99},)"
      R"("options":{"ordering":"ready","deadline_ms":5,"mailbox":1000000,"state":[1],"claim":"mine-1"}})"));
  CHECK(read.agent == "c-1");
  CHECK(read.name == "Z\xc3\xa4hler");
  CHECK(read.args == R"({"start": 1e99})");
  CHECK(read.options.ordering == Ordering::ready);
  CHECK(read.options.deadline == Milliseconds(5));
  CHECK(read.options.mailbox == 1'000'000U);
  CHECK(read.options.state == "[1]");
  CHECK(read.options.claim == "mine-1");
}

TEST_CASE("wrong params of a creation are refused by name") {
  check_refused(read_agent_create_params("{}"), "param \"type\" of agent.create is missing");
  check_refused(read_agent_create_params(R"({"type":1})"), "param \"type\" of agent.create is 1");
  check_refused(read_agent_create_params(R"({"type":""})"), "1 to 256 bytes");
  check_refused(read_agent_create_params(R"({"type":"e","agent":"a/b"})"), "an agent id");
  check_refused(read_agent_create_params(R"({"type":"e","name":"a\nb"})"), "without control characters");
  check_refused(read_agent_create_params(R"({"type":"e","name":")" + std::string(257, 'n') + "\"}"),
                "256 bytes");
  check_refused(read_agent_create_params(R"({"type":"e","args":[]})"),
                "\"args\" of agent.create is []; it takes an object");
  check_refused(read_agent_create_params(R"({"type":"e","tpye":"e"})"), "did you mean \"type\"?");
  check_refused(read_agent_create_params(R"({"type":"e","type":"e"})"), "given twice",
                ErrorKind::invalid_request);
  check_refused(read_agent_create_params(R"(["e"])"), "go by name");
}

TEST_CASE("wrong options are refused by name") {
  const auto with = [](const std::string& options) {
    return read_agent_create_params(R"({"type":"e","options":)" + options + "}");
  };
  check_refused(with("[]"), "\"options\" of agent.create is []");
  check_refused(with(R"({"order":"ready"})"), "unknown param \"order\" of options");
  check_refused(with(R"({"ordering":"fast"})"), R"(is "fast"; it takes "caller" or "ready")");
  check_refused(with(R"({"mailbox":0})"), "a whole number of calls from 1 to 1000000");
  check_refused(with(R"({"mailbox":1000001})"), "is 1000001");
  check_refused(with(R"({"deadline_ms":0})"), "\"deadline_ms\" of options is 0");
  check_refused(with(R"({"claim":"not mine"})"), "\"claim\" of options is \"not mine\"");
  check_refused(with(R"({"mailbox":1,"mailbox":2})"), "given twice", ErrorKind::invalid_request);
}

TEST_CASE("args and state have a content's depth limit") {
  CHECK(read_agent_create_params(R"({"type":"e","args":{"a":)" + nested(63) + "}}").has_value());
  check_refused(read_agent_create_params(R"({"type":"e","args":{"a":)" + nested(64) + "}}"),
                "nested deeper than 64", ErrorKind::parse_error);
  CHECK(read_agent_create_params(R"({"type":"e","options":{"state":)" + nested(64) + "}}").has_value());
  check_refused(read_agent_create_params(R"({"type":"e","options":{"state":)" + nested(65) + "}}"),
                "nested deeper than 64", ErrorKind::parse_error);
}

TEST_CASE("many agents are created at once") {
  const auto read = good(read_agent_create_many_params(R"({"type":"e","count":10000000,"prefix":"p"})"));
  CHECK(read.count == 10'000'000);
  CHECK(read.prefix == "p");
  CHECK(read.args == "{}");
  check_refused(read_agent_create_many_params(R"({"type":"e","prefix":"p"})"),
                "\"count\" of agent.create_many is missing");
  check_refused(read_agent_create_many_params(R"({"type":"e","count":0,"prefix":"p"})"),
                "from 1 to 10000000");
  check_refused(read_agent_create_many_params(R"({"type":"e","count":10000001,"prefix":"p"})"),
                "is 10000001");
  check_refused(read_agent_create_many_params(R"({"type":"e","count":1})"),
                "\"prefix\" of agent.create_many is missing");
}

TEST_CASE("a member that is given twice, at any depth of the args, is refused") {
  for (const std::string args :
       {R"({"x":1,"x":2})", R"({"x":1,"\u0078":1})", R"({"a":[1,{"b":{"x":1,"y":2,"x":[]}}]})"}) {
    INFO(args);
    const std::string params = R"({"type":"e","args":)" + args + "}";
    check_refused(read_agent_create_params(params), "twice");
    CHECK(read_agent_create_params(params).error().kind() == ErrorKind::invalid_params);
    check_refused(read_agent_create_many_params(R"({"type":"e","count":1,"prefix":"p","args":)" + args + "}"),
                  "twice");
  }
  const std::string same_names_apart = R"({"x":{"x":[{"x":1},{"x":1}]},"y":{"x":1}})";
  CHECK(good(read_agent_create_params(R"({"type":"e","args":)" + same_names_apart + "}")).args ==
        same_names_apart);
}

TEST_CASE("a prefix leaves room for the number") {
  const auto with = [](std::size_t length) {
    return read_agent_create_many_params(R"({"type":"e","count":11,"prefix":")" + std::string(length, 'p') +
                                         "\"}");
  };
  CHECK(with(125).has_value());
  check_refused(with(126), "128 at most");
}

TEST_CASE("lists have a page size and filters") {
  CHECK(good(read_agent_list_params("")).limit == 100);
  const auto agents = good(read_agent_list_params(R"({"type":"e","cursor":"c","limit":1000})"));
  CHECK(agents.type == "e");
  CHECK(agents.cursor == "c");
  CHECK(agents.limit == 1000);
  const auto calls = good(read_call_list_params(R"({"agent":"a","state":"waiting","limit":1})"));
  CHECK(calls.agent == "a");
  CHECK(calls.state == "waiting");
  check_refused(read_call_list_params(R"({"state":"over"})"),
                "one of waiting, queued, running, done, failed, cancelled");
  check_refused(read_call_list_params(R"({"type":"e"})"), "unknown param \"type\" of call.list");
  check_refused(read_agent_list_params(R"({"limit":0})"), "from 1 to 1000");
  check_refused(read_agent_list_params(R"({"limit":1001})"), "from 1 to 1000");
  check_refused(read_agent_list_params(R"({"cursor":5})"), "next_cursor");
}

TEST_CASE("the small readers") {
  const std::string call = R"({"call":")" + id + "\"";
  CHECK(good(read_call_get_params(call + "}")).call.text() == id);
  CHECK(good(read_call_get_params(call + R"(,"wait_ms":7})")).wait == Milliseconds(7));
  check_refused(read_call_get_params("{}"), "\"call\" of call.get is missing");
  check_refused(read_call_get_params(R"({"call":"x"})"), "a call id");
  CHECK(good(read_call_cancel_params(call + "}")).call.text() == id);
  check_refused(read_call_cancel_params(call + R"(,"wait_ms":7})"),
                "unknown param \"wait_ms\" of call.cancel");
  CHECK(good(read_agent_clone_params(R"({"agent":"a","as":"b"})")).as == "b");
  check_refused(read_agent_clone_params(R"({"as":"b"})"), "\"agent\" of agent.clone is missing");
  CHECK(good(read_agent_params(R"({"agent":"a"})", "agent.get")).agent == "a");
  check_refused(read_agent_params("[]", "agent.delete"), "\"agent\" of agent.delete is missing");
  CHECK_FALSE(good(read_stop_params("")).grace);
  CHECK(good(read_stop_params(R"({"grace_ms":0})")).grace == Milliseconds(0));
  CHECK(read_no_params("", "node.info").has_value());
  CHECK(read_no_params("[]", "node.info").has_value());
  CHECK(read_no_params(" { } ", "node.info").has_value());
  check_refused(read_no_params(R"({"a":1})", "node.info"),
                "unknown param \"a\" of node.info; it takes no params");
}

TEST_CASE("events are asked for by topic") {
  const auto read = good(read_event_subscribe_params(R"({"topics":["node","calls","node"]})"));
  CHECK_FALSE(read.agents);
  CHECK(read.calls);
  CHECK(read.node);
  check_refused(read_event_subscribe_params("{}"), "\"topics\" of event.subscribe is missing");
  check_refused(read_event_subscribe_params(R"({"topics":["all"]})"),
                "is \"all\"; it takes a list of \"agents\"");
}

TEST_CASE("calls are named by a list of ids") {
  const std::string list = "{\"calls\":[\"" + id + "\", \"" + std::string(64, 'x') + "\"]";
  CHECK(good(read_release_params(list + "}")).calls.size() == 2);
  CHECK(good(read_release_params(R"({"calls":[]})")).calls.empty());
  const auto read = good(read_subscribe_params(list + R"(,"grace_ms":10000})"));
  CHECK(read.calls.at(1).text() == std::string(64, 'x'));
  CHECK(read.grace == Milliseconds(10'000));
  check_refused(read_release_params("{}"), "\"calls\" of call.release is missing");
  check_refused(read_release_params(R"({"calls":"x"})"), "a list of call ids");
  check_refused(read_release_params(R"({"calls":["short"]})"), "is \"short\"");
  check_refused(read_release_params(R"({"calls":[")" + id + R"(",1]})"),
                "\"calls[1]\" of call.release is 1;");
  check_refused(read_release_params(list + R"(,"grace_ms":1})"),
                "unknown param \"grace_ms\" of call.release");
}

TEST_CASE("a settled notice has a value, an error, or neither") {
  const std::string call = R"({"call":")" + id + "\"";
  const std::string done = call + R"(,"state":"done","value":{"content":1},"later":true})";
  const auto read = good(read_settled(done));
  CHECK(read.call.text() == id);
  CHECK(read.state == "done");
  CHECK(read.value == R"({"content":1})");
  CHECK(read.error.empty());
  const std::string failed = call + R"(,"state":"failed","error":{"code":1}})";
  CHECK(good(read_settled(failed)).error == R"({"code":1})");
  check_refused(read_settled("{}"), "\"call\" of call.settled");
  check_refused(read_settled(call + R"(,"state":"running"})"), "done, failed or cancelled");
}

TEST_CASE("a settled notice in the usual form is read as in any other") {
  const std::string begin = R"({"call":")" + id + R"(","state":"done")";
  for (const std::string& text : {
           begin + R"(,"value":{"content":1}})",
           begin + R"(,"value":{"content":1},"later":{}})",
           begin + R"(,"value":1})",
           begin + "}",
           begin + R"(,"error":{}})",
           R"({"call":")" + id + R"(","state":"failed","error":{"code":1}})",
           std::string(R"({"call":"short","state":"done","value":{}})"),
           R"({"call":")" + id + R"(","state":"d\u006fne","value":{}})",
       }) {
    INFO(text);
    json::Ends ends;
    REQUIRE_FALSE(json::check(text, 80, nullptr, &ends));
    const auto usual = read_settled(text, &ends);
    const auto any = read_settled(text);
    REQUIRE(usual.has_value() == any.has_value());
    if (!any) continue;
    CHECK(usual->call == any->call);
    CHECK(usual->state == any->state);
    CHECK(usual->value == any->value);
    CHECK(usual->error == any->error);
  }
}

TEST_CASE("a progress notice is numbered") {
  const std::string text = R"({"call":")" + id + R"(","seq":3,"value":"part"})";
  const auto read = good(read_progress(text));
  CHECK(read.call.text() == id);
  CHECK(read.seq == 3);
  CHECK(read.value == "\"part\"");
  check_refused(read_progress(R"({"call":")" + id + R"(","seq":-1})"), "a whole number from 0");
}
