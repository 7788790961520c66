#include "common/net/waiting_calls.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/call_frame.hpp"

using agentd::CallId;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::net::Settled;
using agentd::net::WaitingCalls;
using namespace std::chrono_literals;

namespace {

using Clock = WaitingCalls::Clock;

/// A node and the way to it, with the clock in the test's hands.
class World final : public WaitingCalls::Clockwork {
public:
  Clock::time_point now() const override { return now_; }
  void start(agentd::async::Timer& timer, Clock::time_point when,
             agentd::async::Timer::Callback callback) override {
    wheel_.start(timer, when, callback);
  }
  /// In steps, so that timers which are started anew are due in their turn.
  void pass(std::chrono::milliseconds time) {
    for (const auto until = now_ + time; now_ < until; wheel_.advance(now_)) {
      now_ += std::min<Clock::duration>(100ms, until - now_);
    }
  }

  void open(const std::string& boot = "boot-1", bool durable = false) { calls.opened({boot, durable}); }
  void lose() { calls.closed(Error(ErrorKind::peer_unreachable, "cannot reach it: gone")); }

  /// What was written since the last look: one JSON value an object.
  std::vector<Json> written() {
    calls.end_turn();
    std::vector<Json> all;
    while (!calls.outbox().empty()) {
      Json frame = Json::parse(calls.outbox().take());
      if (!frame.is_array()) frame = Json::array({frame});
      for (Json& object : frame) all.push_back(std::move(object));
    }
    return all;
  }
  std::vector<std::string> called() {
    std::vector<std::string> ids;
    for (const Json& object : written()) {
      if (object["method"] == "agent.call") ids.push_back(object["params"]["call"]);
    }
    return ids;
  }
  void tell(const std::string& method, const Json& params) {
    REQUIRE(calls.received(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump()));
  }
  void settle(const CallId& id, const Json& value) {
    tell("call.settled", {{"call", id.text()}, {"state", "done"}, {"value", {{"content", value}}}});
  }

private:
  Clock::time_point now_{1000s};
  agentd::async::TimerWheel wheel_{now_};

public:
  WaitingCalls calls{{"10.0.0.2", 12001}, *this};
};

/// One call, and what became of it.
struct Asked {
  CallId id = CallId::mint();
  int settled = 0;
  std::optional<Settled> outcome;
  std::vector<std::string> progress;

  void call(World& world, Clock::duration deadline = 60s) {
    world.calls.call(id, R"({"agent":"a","call":")" + std::string(id.text()) + '"', world.now() + deadline,
                     take(), watch());
  }
  void call_without_deadline(World& world) {
    world.calls.call(id, R"({"agent":"a","call":")" + std::string(id.text()) + '"', Clock::time_point::max(),
                     take(), watch());
  }
  void subscribe(World& world, Clock::duration deadline = 60s) {
    world.calls.subscribe(id, world.now() + deadline, take(), watch());
  }
  ErrorKind failure() const {
    REQUIRE(outcome);
    REQUIRE(outcome->outcome.has_error());
    return outcome->outcome.error().kind();
  }
  std::string content() const {
    REQUIRE(outcome);
    REQUIRE(outcome->outcome.has_value());
    return std::string(*outcome->outcome->content);
  }
  std::string text() const { return std::string(id.text()); }

private:
  agentd::net::NodeLink::OnSettled take() {
    return [this](Settled how) {
      ++settled;
      outcome = std::move(how);
    };
  }
  agentd::net::NodeLink::OnProgress watch() {
    return [this](std::string_view value) { progress.emplace_back(value); };
  }
};

}  // namespace

TEST_CASE("calls and releases stand in the form that a node reads quickest") {
  World world;
  world.open();
  const CallId id = CallId::mint();
  agentd::protocol::OutgoingCall call;
  call.agent = "echo";
  call.call = id.text();
  call.settled = agentd::protocol::SettledMode::automatic;
  call.input = R"({"content":"hello"})";
  std::string params;
  agentd::protocol::append_call_params(params, call);
  params.pop_back();
  const auto deadline = GENERATE(Clock::time_point::max(), Clock::time_point(1060s));
  world.calls.call(
      id, params, deadline, [](const Settled&) {}, nullptr);
  world.calls.release(CallId::mint(), true);
  world.calls.end_turn();
  agentd::protocol::CallFrame frame;
  REQUIRE(frame.read(world.calls.outbox().take()));
  CHECK(frame.notices().size() == 2);
}

TEST_CASE("a call leaves at once where there is a connection, with its remaining time") {
  World world;
  world.open();
  Asked asked;
  asked.call(world, 1500ms);
  const auto written = world.written();
  REQUIRE(written.size() == 1);
  CHECK(written[0]["method"] == "agent.call");
  CHECK_FALSE(written[0].contains("id"));
  CHECK(written[0]["params"]["call"] == asked.text());
  CHECK(written[0]["params"]["deadline_ms"] == 1500);
}

TEST_CASE("calls made before there is a connection leave in order, with what is left of their time") {
  World world;
  Asked first, second;
  first.call(world, 10s);
  second.call(world, 20s);
  CHECK(world.written().empty());
  world.pass(4s);
  world.open();
  const auto written = world.written();
  REQUIRE(written.size() == 2);
  CHECK(written[0]["params"]["call"] == first.text());
  CHECK(written[0]["params"]["deadline_ms"] == 6000);
  CHECK(written[1]["params"]["call"] == second.text());
}

TEST_CASE("a call settles once, with the value that came") {
  World world;
  world.open();
  Asked asked;
  asked.call(world);
  world.settle(asked.id, "tide");
  CHECK(asked.content() == "\"tide\"");
  world.settle(asked.id, "again");
  CHECK(asked.settled == 1);
  CHECK(world.calls.waiting() == 0);
}

TEST_CASE("a failed call settles with the error that came, its cause included") {
  World world;
  world.open();
  Asked asked;
  asked.call(world);
  const Json cause{{"code", -32016}, {"message", "no tide"}, {"data", {{"kind", "agent_failed"}}}};
  world.tell(
      "call.settled",
      {{"call", asked.text()},
       {"state", "failed"},
       {"error",
        {{"code", -32017}, {"message", "input"}, {"data", {{"kind", "input_failed"}, {"cause", cause}}}}}});
  CHECK(asked.failure() == ErrorKind::input_failed);
  CHECK(asked.outcome->outcome.error().root().message() == "no tide");
}

TEST_CASE("what is wrong with an answer is said with the node that gave it") {
  World world;
  world.open();
  Asked asked;
  asked.call(world);
  world.tell("call.settled", {{"call", asked.text()}, {"state", "done"}, {"value", {{"name", "n"}}}});
  CHECK(asked.failure() == ErrorKind::invalid_params);
  CHECK(asked.outcome->outcome.error().call() == asked.text());
  CHECK_FALSE(asked.outcome->outcome.error().node().empty());
}

TEST_CASE("a value that was left out settles as being elsewhere") {
  World world;
  world.open();
  Asked asked;
  asked.call(world);
  world.tell("call.settled", {{"call", asked.text()}, {"state", "done"}});
  REQUIRE(asked.outcome);
  CHECK(asked.outcome->elsewhere);
}

TEST_CASE("what has not settled is sent again after a reconnect, in the order made") {
  World world;
  world.open();
  Asked first, second, third;
  first.call(world);
  second.call(world);
  (void)world.written();
  world.settle(first.id, 1);
  world.lose();
  third.call(world);
  world.open();
  CHECK(world.called() == std::vector{second.text(), third.text()});
}

TEST_CASE("what stood in the outbox of a lost connection is not sent twice") {
  World world;
  world.open();
  Asked asked;
  asked.call(world);
  world.lose();
  world.open();
  CHECK(world.called() == std::vector{asked.text()});
}

TEST_CASE("calls sent to a node that has forgotten them fail, the others are sent") {
  World world;
  world.open("boot-1");
  Asked sent, watched, unsent;
  sent.call(world);
  watched.subscribe(world);
  world.lose();
  unsent.call(world);
  world.open("boot-2");
  CHECK(sent.failure() == ErrorKind::outcome_unknown);
  CHECK_FALSE(sent.outcome->outcome.error().retryable());
  CHECK(watched.failure() == ErrorKind::outcome_unknown);
  CHECK(world.called() == std::vector{unsent.text()});
}

TEST_CASE("a node that keeps a journal is sent its calls again after a restart") {
  World world;
  world.open("boot-1", true);
  Asked asked;
  asked.call(world);
  world.lose();
  world.open("boot-2", true);
  CHECK(asked.settled == 0);
  CHECK(world.called() == std::vector{asked.text()});
}

TEST_CASE("a call that the node does not answer fails 1.5 s after its deadline") {
  World world;
  world.open();
  Asked asked;
  asked.call(world, 2s);
  world.pass(3400ms);
  CHECK(asked.settled == 0);
  world.pass(200ms);
  CHECK(asked.failure() == ErrorKind::deadline_exceeded);
  CHECK(world.calls.waiting() == 0);
}

TEST_CASE("a call that never left fails at its deadline, with the reason of the socket") {
  World world;
  Asked asked;
  asked.call(world, 2s);
  world.lose();
  world.pass(2100ms);
  CHECK(asked.failure() == ErrorKind::peer_unreachable);
  CHECK(asked.outcome->outcome.error().message() == "cannot reach it: gone");
  CHECK(asked.outcome->outcome.error().node() == "10.0.0.2:12001");
  CHECK(asked.outcome->outcome.error().call() == asked.text());
}

TEST_CASE("a call without a deadline is sent without one, and the node decides") {
  World world;
  world.open();
  Asked asked;
  asked.call_without_deadline(world);
  CHECK_FALSE(world.written().at(0)["params"].contains("deadline_ms"));
  world.pass(1000s);
  CHECK(asked.settled == 0);
  world.settle(asked.id, 1);
  CHECK(asked.content() == "1");
}

TEST_CASE("a call without a deadline fails 300 s after it was made where the node cannot be reached") {
  World world;
  Asked asked;
  asked.call_without_deadline(world);
  world.lose();
  world.pass(299s);
  CHECK(asked.settled == 0);
  world.pass(2s);
  CHECK(asked.failure() == ErrorKind::peer_unreachable);
}

TEST_CASE("a node that is lost after 300 s has 10 s to come back") {
  World world;
  world.open();
  Asked asked;
  asked.call_without_deadline(world);
  world.pass(400s);
  world.lose();
  world.pass(9s);
  CHECK(asked.settled == 0);
  world.pass(7s);
  CHECK(asked.failure() == ErrorKind::deadline_exceeded);
}

TEST_CASE("the subscriptions of one turn are one request") {
  World world;
  world.open();
  Asked first, second;
  first.subscribe(world, 3s);
  second.subscribe(world, 60s);
  const auto written = world.written();
  REQUIRE(written.size() == 1);
  CHECK(written[0]["method"] == "call.subscribe");
  CHECK(written[0]["params"]["calls"] == Json{first.text(), second.text()});
  CHECK(written[0]["params"]["grace_ms"] == 10'000);
}

TEST_CASE("a refused subscription fails those who subscribed, and not a call with the same id") {
  World world;
  world.open();
  Asked asked;
  asked.call(world);
  (void)world.written();
  Asked watching;
  watching.id = asked.id;
  watching.subscribe(world);
  const auto request = world.written().at(0)["id"];
  REQUIRE(world.calls.received(
      Json{{"jsonrpc", "2.0"},
           {"id", request},
           {"error", {{"code", -32013}, {"message", "full"}, {"data", {{"kind", "overloaded"}}}}}}
          .dump()));
  CHECK(watching.failure() == ErrorKind::overloaded);
  CHECK(asked.settled == 0);
}

TEST_CASE("one outcome settles all who wait for it") {
  World world;
  world.open();
  Asked asked, watching;
  watching.id = asked.id;
  asked.call(world);
  watching.subscribe(world);
  world.settle(asked.id, "both");
  CHECK(asked.content() == "\"both\"");
  CHECK(watching.content() == "\"both\"");
}

TEST_CASE("what is unsubscribed is waited for no more, and the call of that id goes on") {
  World world;
  world.open();
  Asked asked, first, second, other;
  first.id = second.id = asked.id;
  asked.call(world);
  first.subscribe(world);
  second.subscribe(world);
  other.subscribe(world);
  world.calls.unsubscribe(asked.id);
  CHECK(world.calls.waiting() == 2);
  world.settle(asked.id, "done");
  CHECK(asked.content() == "\"done\"");
  CHECK(first.settled + second.settled == 0);
  world.calls.unsubscribe(other.id);
  CHECK(world.calls.waiting() == 0);
  world.calls.unsubscribe(other.id);
  world.settle(other.id, "late");
  CHECK(other.settled == 0);
}

TEST_CASE("the releases of one turn are one notification, and wait for a connection") {
  World world;
  const CallId first = CallId::mint(), second = CallId::mint();
  world.calls.release(first, true);
  world.calls.release(second, true);
  CHECK(world.written().empty());
  world.open();
  const auto written = world.written();
  REQUIRE(written.size() == 1);
  CHECK(written[0]["method"] == "call.release");
  CHECK(written[0]["params"]["calls"] == Json{std::string(first.text()), std::string(second.text())});
  CHECK(world.written().empty());
}

TEST_CASE("a release goes before what has piled up where its call was done, and else behind it") {
  World world;
  world.open();
  const CallId done = CallId::mint(), refused = CallId::mint();
  std::vector<Asked> calls(2000);
  for (Asked& call : calls) call.call(world, 1000s);
  world.calls.release(refused, false);
  world.calls.release(done, true);
  const auto written = world.written();
  REQUIRE(written.size() == 2002);
  CHECK(written.front()["params"]["calls"] == Json::array({std::string(done.text())}));
  CHECK(written[1]["params"]["call"] == calls.front().text());
  CHECK(written[2000]["params"]["call"] == calls.back().text());
  CHECK(written.back()["params"]["calls"] == Json::array({std::string(refused.text())}));
}

TEST_CASE("a call that failed here while it waits to be sent is not overtaken by its own release") {
  World world;
  world.open();
  Asked late;
  late.call(world, 1s);
  std::vector<Asked> calls(2000);
  for (Asked& call : calls) call.call(world, 1000s);
  world.pass(10s);
  REQUIRE(late.settled == 1);
  world.calls.release(late.id, false);
  const auto written = world.written();
  REQUIRE(written.size() == 2002);
  CHECK(written.front()["params"]["call"] == late.text());
  CHECK(written.back()["params"]["calls"] == Json::array({late.text()}));
}

TEST_CASE("a request gets its answer, and is sent again after a reconnect") {
  World world;
  world.open();
  std::optional<agentd::Result<std::string>> answer;
  world.calls.request("agent.create", R"({"type":"echo"})", world.now() + 10s,
                      [&](agentd::Result<std::string> result) { answer = std::move(result); });
  const auto first = world.written().at(0);
  world.lose();
  world.open("boot-2");
  const auto again = world.written().at(0);
  CHECK(first == again);
  REQUIRE(world.calls.received(
      Json{{"jsonrpc", "2.0"}, {"id", first["id"]}, {"result", {{"agent", "e"}}}}.dump()));
  REQUIRE(answer);
  CHECK(Json::parse(answer->value())["agent"] == "e");
}

TEST_CASE("an error answer to a request comes as that error") {
  World world;
  world.open();
  std::optional<agentd::Result<std::string>> answer;
  world.calls.request("agent.create", "{}", world.now() + 10s,
                      [&](agentd::Result<std::string> result) { answer = std::move(result); });
  const auto id = world.written().at(0)["id"];
  const Json error{{"code", -32011}, {"message", "no such type"}, {"data", {{"kind", "type_not_found"}}}};
  REQUIRE(world.calls.received(Json{{"jsonrpc", "2.0"}, {"id", id}, {"error", error}}.dump()));
  REQUIRE(answer);
  CHECK(answer->error().kind() == ErrorKind::type_not_found);
}

TEST_CASE("calls and requests keep their order when they are sent again") {
  World world;
  Asked before, after;
  before.call(world);
  world.calls.request("agent.clone", "{}", world.now() + 10s, [](const agentd::Result<std::string>&) {});
  after.call(world);
  world.open();
  const auto written = world.written();
  REQUIRE(written.size() == 3);
  CHECK(written[1]["method"] == "agent.clone");
  CHECK(written[2]["params"]["call"] == after.text());
}

TEST_CASE("progress comes in order, and what a node repeats comes once") {
  World world;
  world.open();
  Asked asked;
  asked.call(world);
  for (const int seq : {1, 2, 2, 1, 3}) {
    world.tell("call.progress", {{"call", asked.text()}, {"seq", seq}, {"value", seq}});
  }
  CHECK(asked.progress == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("a frame that is no JSON is told, a strange one is ignored") {
  World world;
  world.open();
  CHECK_FALSE(world.calls.received("{nonsense"));
  CHECK(world.calls.received(R"({"jsonrpc":"2.0","method":"call.settled","params":{"call":7}})"));
  CHECK(world.calls.received(R"({"jsonrpc":"2.0","id":99,"result":{}})"));
  CHECK(world.calls.received(R"({"jsonrpc":"2.0","id":"abc","result":{}})"));
  CHECK(world.calls.received(R"([1,2,{"jsonrpc":"2.0","method":"news"}])"));
  world.settle(CallId::mint(), "nobody asked");
}

TEST_CASE("everything that waits can be failed, and what a callback adds stays") {
  World world;
  Asked first, second, added;
  world.calls.call(
      first.id, "{", world.now() + 10s,
      [&](Settled how) {
        first.outcome = std::move(how);
        added.call(world);
      },
      nullptr);
  second.call(world);
  world.calls.fail_all(Error(ErrorKind::shutting_down, "over"));
  CHECK(first.failure() == ErrorKind::shutting_down);
  CHECK(second.failure() == ErrorKind::shutting_down);
  CHECK(added.settled == 0);
  CHECK(world.calls.waiting() == 1);
}

TEST_CASE("a callback of what fails may give up what else waits, and what it adds stays still") {
  World world;
  Asked first, second, added;
  world.calls.call(
      first.id, "{", world.now() + 10s,
      [&](Settled how) {
        first.outcome = std::move(how);
        world.calls.unsubscribe(second.id);
        added.call(world);
      },
      nullptr);
  second.subscribe(world);
  world.calls.fail_all(Error(ErrorKind::shutting_down, "over"));
  CHECK(first.failure() == ErrorKind::shutting_down);
  CHECK(added.settled == 0);
  CHECK(world.calls.waiting() == 1);
}

TEST_CASE("a subscription that is given up in its turn is not sent") {
  World world;
  world.open();
  Asked given_up, wanted;
  given_up.subscribe(world);
  world.calls.unsubscribe(given_up.id);
  CHECK(world.written().empty());
  given_up.subscribe(world);
  wanted.subscribe(world);
  world.calls.unsubscribe(given_up.id);
  const auto written = world.written();
  REQUIRE(written.size() == 1);
  CHECK(written[0]["params"]["calls"] == Json::array({wanted.text()}));
}
