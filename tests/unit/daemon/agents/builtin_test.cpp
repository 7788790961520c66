#include "daemon/agents/builtin.hpp"

#include <algorithm>
#include <limits>

#include <catch2/catch.hpp>

#include "common/vocabulary/cell.hpp"
#include "common/vocabulary/context.hpp"

using agentd::Agent;
using agentd::AgentType;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;

namespace {

AgentType type_named(const std::string& name) {
  for (AgentType& type : agentd::agents::builtin_types()) {
    if (type.name == name) return std::move(type);
  }
  FAIL("there is no built-in type " << name);
  return {};
}

std::unique_ptr<Agent> make(const std::string& type, const Json& args = Json::object()) {
  return type_named(type).make(args);
}

Message text(std::string json) {
  agentd::detail::MessageData data;
  data.content = agentd::detail::SharedText(std::move(json));
  return Message(std::make_shared<agentd::detail::Cell>(std::move(data)));
}

std::string refusal(const std::string& type, const Json& args) {
  try {
    make(type, args);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_params);
    return error.message();
  }
  return "(none)";
}

std::string failure(Agent& agent, const Message& input) {
  try {
    (void)agent.reply(input);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "(none)";
}

std::string answer(Agent& agent, const Message& input) {
  return std::string(agent.reply(input).raw_content());
}

constexpr const char* sha256_of_null = "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b";

/// What a coroutine of an agent needs of its node, played by hand.
class Stage : public agentd::detail::CallContext {
public:
  Message call(const agentd::AgentAddress& to, std::string_view method, const Message& input,
               const agentd::CallOptions&) override {
    called = to;
    called_method = method;
    given = input;
    return Message(answer);
  }
  void progress(const Json&) override {}
  bool cancelled() const override { return given_up; }
  std::chrono::steady_clock::time_point deadline() const override { return {}; }
  agentd::CallId id() const override { return {}; }
  void begin_wait(agentd::detail::Cell&) override {}
  void end_wait() override {}
  void awaits(const agentd::detail::Cell&) override {}
  void resume(std::coroutine_handle<> waiting) override { sleeping = waiting; }
  void resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) override {
    slept = delay;
    sleeping = waiting;
  }

  std::shared_ptr<agentd::detail::Cell> answer = std::make_shared<agentd::detail::Cell>();
  agentd::AgentAddress called;
  std::string called_method;
  Message given;
  bool given_up = false;
  std::chrono::nanoseconds slept{0};
  std::coroutine_handle<> sleeping;
};

/// Runs a method's coroutine as a node would.
struct Run {
  struct promise_type {
    Run get_return_object() { return Run{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  explicit Run(std::coroutine_handle<promise_type> frame) : handle(frame) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() { handle.destroy(); }
  std::coroutine_handle<promise_type> handle;
};

struct Result {
  Message message;
  std::string error;
  bool done = false;
};

Run run(agentd::Task<Message> method, Result& result) {
  try {
    result.message = co_await method;
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  result.done = true;
}

}  // namespace

TEST_CASE("every built-in type says what it is, what it takes, and that it observes") {
  const auto types = agentd::agents::builtin_types();
  CHECK(types.size() == 7);
  for (const AgentType& type : types) {
    INFO(type.name);
    CHECK(type.source == "built-in");
    CHECK_FALSE(type.description.empty());
    CHECK(type.args_schema.at("type") == "object");
    CHECK(type.args_schema.at("properties").is_object());
    CHECK(type.args_schema.at("additionalProperties") == false);
    CHECK(type.methods.contains("reply"));
    CHECK(type.methods.contains("observe"));
    const bool idempotent =
        type.name == "echo" || type.name == "sleeper" || type.name == "failer" || type.name == "burner";
    CHECK(type.idempotent == idempotent);
    const auto execution = type.name == "burner" ? agentd::Execution::worker : agentd::Execution::loop;
    CHECK(type.execution == execution);
  }
  CHECK(type_named("sleeper").args_schema.at("required") == Json::array({"seconds"}));
  CHECK(type_named("forwarder").args_schema.at("required") == Json::array({"to"}));
  CHECK(type_named("forwarder").args_schema.at("properties").at("to").at("required") ==
        Json::array({"$agent"}));
}

TEST_CASE("an unknown arg is refused by name, with what the type takes") {
  CHECK(refusal("sleeper", {{"seconds", 1}, {"x", 2}}) == R"(unknown arg "x" of sleeper; it takes seconds)");
  CHECK(refusal("echo", {{"x", 2}}) == R"(unknown arg "x" of echo; it takes no args)");
  CHECK(refusal("counter", {{"Start", 2}}) == R"(unknown arg "Start" of counter; it takes start)");
  for (const char* type : {"echo", "counter", "sleeper", "transcript", "failer", "burner", "forwarder"}) {
    CHECK(refusal(type, {{"nonsense", 1}}).starts_with("unknown arg \"nonsense\" of "));
  }
}

TEST_CASE("a wrong arg is refused with its value and what would be right") {
  CHECK(refusal("sleeper", {{"seconds", "1"}}) ==
        R"(arg "seconds" of sleeper is "1"; it takes a number, 0 or more)");
  CHECK(refusal("sleeper", {{"seconds", -1}}) ==
        R"(arg "seconds" of sleeper is -1; it takes a number, 0 or more)");
  CHECK(refusal("sleeper", Json::object()) == R"(sleeper needs the arg "seconds": a number, 0 or more)");
  CHECK(refusal("counter", {{"start", 1.0}})
            .starts_with(R"(arg "start" of counter is 1.0; it takes an integer)"));
  CHECK(refusal("counter", {{"start", true}}).starts_with(R"(arg "start" of counter is true;)"));
  CHECK(refusal("counter", {{"start", 9223372036854775808U}}).starts_with(R"(arg "start" of counter is 92)"));
  CHECK(refusal("transcript", {{"name", 1}}) == R"(arg "name" of transcript is 1; it takes a string)");
  CHECK(refusal("burner", {{"iterations", 0}}) ==
        R"(arg "iterations" of burner is 0; it takes an integer from 1 to 1000000000)");
  CHECK(refusal("burner", {{"iterations", 1000000001}})
            .starts_with(R"(arg "iterations" of burner is 1000000001)"));
  for (const char* wrong : {R"({"$agent":{"host":"127.0.0.1","port":0,"agent":"x"}})",
                            R"({"$agent":{"host":"127.0.0.1","port":1,"agent":"x","more":1}})",
                            R"({"$agent":{"host":"127.0.0.1","port":1,"agent":"x"},"more":1})"}) {
    CHECK_THAT(refusal("forwarder", {{"to", Json::parse(wrong)}}), Catch::Contains("it takes an agent"));
  }
  CHECK(refusal("forwarder", {{"to", "b"}})
            .starts_with(R"(arg "to" of forwarder is "b"; it takes an agent, )"));
  CHECK(refusal("echo", Json::array({1})) == "the args of echo are an object, not [1]");
  CHECK(refusal("echo", nullptr) == "(none)");
}

TEST_CASE("echo passes the content's bytes through unopened") {
  const auto echo = make("echo");
  for (const char* content : {"1e400", "123456789012345678901234567890", R"({ "b" : 1.0,  "a":[ ] })",
                              R"("\u00e9")", R"({"$placeholder":1})"}) {
    CHECK(answer(*echo, text(content)) == content);
  }
  CHECK(answer(*echo, {}) == "null");
  CHECK(answer(*echo, Message::inputs({text("1e400"), {}, text("[ 2]")})) == "[1e400,null,[ 2]]");
}

TEST_CASE("echo answers the content only") {
  Message input(agentd::MessageFields{7, "n", "user", {{"k", 1}}, "", ""});
  const Message answered = make("echo")->reply(input);
  CHECK(answered.content() == 7);
  CHECK(answered.metadata().is_null());
}

TEST_CASE("counter adds integers and counts calls without input") {
  const auto counter = make("counter", {{"start", 40}});
  CHECK(answer(*counter, {}) == "41");
  CHECK(answer(*counter, text("null")) == "42");
  CHECK(answer(*counter, text("-50")) == "-8");
  CHECK(answer(*counter, text(" 8 ")) == "0");
  CHECK(answer(*counter, text("9223372036854775807")) == "9223372036854775807");
}

TEST_CASE("counter refuses what is no integer, and keeps its sum") {
  const auto counter = make("counter");
  for (const char* content : {"1.0", "1e2", "\"1\"", "true", "9223372036854775808", "[1]", "{}"}) {
    INFO(content);
    CHECK(failure(*counter, text(content)) ==
          std::string("counter adds integers of 64 bits, such as 5 or -3, not ") + content);
  }
  CHECK(answer(*counter, {}) == "1");
}

TEST_CASE("counter fails where the sum would pass 64 bits, and keeps it") {
  const auto counter = make("counter", {{"start", std::numeric_limits<std::int64_t>::max()}});
  CHECK(failure(*counter, {}).find("9223372036854775807; adding 1") != std::string::npos);
  CHECK(answer(*counter, text("-1")) == "9223372036854775806");
}

TEST_CASE("counter goes on from a saved state") {
  const auto counter = make("counter");
  (void)counter->reply(text("7"));
  const auto copy = make("counter", {{"start", 100}});
  copy->restore(counter->save());
  CHECK(answer(*copy, {}) == "8");
  CHECK_THROWS_AS(copy->restore({{"sum", "x"}}), Error);
}

TEST_CASE("transcript chains digests of its inputs' canonical form") {
  const auto transcript = make("transcript", {{"name", "A\n"}});
  const Json first = transcript->reply({}).content();
  CHECK(first == Json{{"by", "A\n"}, {"n", 1}, {"digest", sha256_of_null}});
  // sha256("74234e98…b90b" + R"({"a":1.0,"b":[1,2]})")
  const Json second = transcript->reply(text(R"({ "b": [1, 2], "a": 1.0 })")).content();
  CHECK(second.at("n") == 2);
  CHECK(second.at("digest") == "026555bf900725e224752fdc48e771557e045bee65ffb8f27a5da2a8a641422d");
}

TEST_CASE("a transcript's digest goes by value, and a join is the array of its contents") {
  const auto digest = [](const Message& input) {
    return make("transcript", {{"name", "A"}})->reply(input).content().at("digest");
  };
  CHECK(digest(text(R"({"a":1,"b":2})")) == digest(text(R"({ "b" : 2, "\u0061" : 1 })")));
  CHECK(digest(text("1")) != digest(text("1.0")));
  CHECK(digest(Message::inputs({text("1"), {}})) == digest(text("[1,null]")));
  CHECK(digest({}) == digest(text("null")));
}

TEST_CASE("transcript goes on from a saved state") {
  const auto transcript = make("transcript", {{"name", "A"}});
  (void)transcript->reply({});
  const auto copy = make("transcript", {{"name", "A"}});
  copy->restore(transcript->save());
  CHECK(copy->reply(text("1")).content() == transcript->reply(text("1")).content());
  CHECK_THROWS_AS(copy->restore({{"n", -1}, {"digest", ""}}), Error);
}

TEST_CASE("failer fails with a text as it is, and with any other content as JSON") {
  const auto failer = make("failer");
  CHECK(failure(*failer, text(R"("line\n\u00e9")")) == "line\n\xc3\xa9");
  CHECK(failure(*failer, text(R"({ "a": 1e400 })")) == R"({ "a": 1e400 })");
  CHECK(failure(*failer, {}) == "null");
}

TEST_CASE("burner chains digests from the canonical content") {
  CHECK(make("burner", {{"iterations", 1}})->reply({}).content() == sha256_of_null);
  CHECK(make("burner", {{"iterations", 3}})->reply(text(" null ")).content() ==
        "e9c03f6706cbb4fc8213ef1c4236985694f4d782fb3c4dd1e403b218b1f7a5a0");
}

TEST_CASE("burner stops soon after its call was given up") {
  const auto stage = std::make_shared<Stage>();
  stage->given_up = true;
  const agentd::detail::ContextScope scope(stage.get());
  const auto burner = make("burner", {{"iterations", 1000000000}});
  CHECK(failure(*burner, {}) == "the call was given up after 1024 iterations");
}

TEST_CASE("sleeper is suspended for that long, then answers its input's content") {
  const auto stage = std::make_shared<Stage>();
  const agentd::detail::ContextScope scope(stage.get());
  const auto sleeper = make("sleeper", {{"seconds", 0.25}});
  Result result;
  const Run running = run(sleeper->reply_async(text("[1 ]")), result);
  CHECK_FALSE(result.done);
  CHECK(stage->slept == std::chrono::milliseconds(250));
  stage->sleeping.resume();
  REQUIRE(result.done);
  CHECK(result.message.raw_content() == "[1 ]");
}

TEST_CASE("a sleeper whose call was given up fails when it is woken") {
  const auto stage = std::make_shared<Stage>();
  const agentd::detail::ContextScope scope(stage.get());
  const auto sleeper = make("sleeper", {{"seconds", 1e300}});
  Result result;
  const Run running = run(sleeper->reply_async({}), result);
  CHECK(stage->slept > std::chrono::hours(24));
  stage->given_up = true;
  stage->sleeping.resume();
  CHECK(result.done);
  CHECK_FALSE(result.error.empty());
}

TEST_CASE("a sleeper of 0 seconds does not wait") {
  const auto sleeper = make("sleeper", {{"seconds", 0}});
  Result result;
  const Run running = run(sleeper->reply_async(text("1")), result);
  CHECK(result.done);
}

TEST_CASE("forwarder calls that agent and answers with its answer") {
  const auto stage = std::make_shared<Stage>();
  const agentd::detail::ContextScope scope(stage.get());
  const Json to = {{"$agent", {{"host", "10.0.0.2"}, {"port", 12001}, {"agent", "b"}}}};
  const auto forwarder = make("forwarder", {{"to", to}});
  Result result;
  const Run running = run(forwarder->reply_async(text("1")), result);
  CHECK(stage->called.text() == "10.0.0.2:12001/b");
  CHECK(stage->called_method == "reply");
  CHECK(stage->given.raw_content() == "1");
  CHECK_FALSE(result.done);

  SECTION("which may be a message") {
    stage->answer->settle({agentd::detail::SharedText("2"), {}, {}});
    stage->sleeping.resume();
    CHECK(result.message.raw_content() == "2");
  }
  SECTION("or a failure") {
    stage->answer->fail(Error(ErrorKind::agent_failed, "no luck"));
    stage->sleeping.resume();
    CHECK(result.error == "no luck");
  }
  REQUIRE(result.done);
}
