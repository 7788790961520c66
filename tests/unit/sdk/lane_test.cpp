#include <future>

#include <catch2/catch.hpp>

#include <agentd/agent.hpp>
#include <agentd/client.hpp>

#include "sdk/src/remote_agent.hpp"
#include "sdk/src/session.hpp"
#include "tests/unit/sdk/fake_link.hpp"

using agentd::AgentRef;
using agentd::CallId;
using agentd::Error;
using agentd::ErrorKind;
using agentd::Json;
using agentd::Message;
using agentd::Task;
using agentd::detail::Cell;
using agentd::sdk::Session;
using namespace std::chrono_literals;

namespace {

/// A node with an agent on it, at an address of its own.
struct FakeNode {
  explicit FakeNode(const std::string& host_prefix = "10.0.") {
    static int count = 0;
    ++count;
    host = host_prefix + std::to_string(count / 256) + "." + std::to_string(count % 256);
    on_loop([this] { Session::instance().node({host, 1}).link = link; });
    agent = agentd::attach("agent", {host, 1});
  }

  std::size_t sent() {
    return on_loop([this] { return link->sent.size(); });
  }
  /// The contents of the inputs that were sent, in order.
  std::vector<Json> inputs() {
    return on_loop([this] {
      std::vector<Json> all;
      for (const auto& call : link->sent) all.push_back(call.params.value("input", Json()));
      return all;
    });
  }
  void settle(std::size_t index, agentd::net::Settled how) {
    on_loop([&] { link->sent.at(index).on_settled(std::move(how)); });
  }
  void answer(std::size_t index, const Json& value) {
    settle(index, {agentd::detail::MessageData{agentd::detail::SharedText(value.dump()), {}, {}}});
  }
  std::vector<CallId> released() {
    for (int i = 0; i < 500; ++i) {
      auto all = on_loop([this] { return link->released; });
      if (!all.empty()) return all;
      std::this_thread::sleep_for(2ms);
    }
    return {};
  }

  std::string host;
  std::shared_ptr<FakeLink> link = std::make_shared<FakeLink>();
  AgentRef agent;
};

Message pending() { return Message(std::make_shared<Cell>()); }

void settle(const Message& message, const Json& value) {
  message.cell()->settle({agentd::detail::SharedText(value.dump()), {}, {}});
}

Task<Message> awaiting(Message x) { co_return co_await x; }

Task<Message> reading(Message x) { co_return Message(x.content()); }

Task<Message> sleeping() {
  co_await agentd::this_call::sleep(1ms);
  co_return Message(nullptr);
}

Json content(const Json& value) { return {{"content", value}}; }

}  // namespace

TEST_CASE("a connection that is told of a token late is told the one that holds then") {
  FakeNode node;
  on_loop([&] {
    for (const char* token : {"first", "second"}) agentd::set_token({node.host, 1}, token);
  });
  CHECK(on_loop([&] { return node.link->tokens; }) == std::vector<std::string>{"second", "second"});
}

TEST_CASE("a call leaves at once, with what the node has to know") {
  FakeNode node;
  const Message answer = node.agent("tide");
  REQUIRE(node.sent() == 1);
  const auto& call = node.link->sent[0];
  CHECK(
      call.params ==
      Json{{"agent", "agent"}, {"call", call.call.text()}, {"input", content("tide")}, {"settled", "auto"}});
  CHECK_FALSE(call.has_deadline);
  CHECK_FALSE(answer.ready());
  node.answer(0, "ebb");
  CHECK(answer.content() == "ebb");
}

TEST_CASE("a call is sent with its deadline, method and reference") {
  FakeNode node;
  const Message first = node.agent(1);
  const Message second = node.agent.call("outline", first, {.deadline = 5s});
  REQUIRE(node.sent() == 2);
  CHECK(node.link->sent[1].has_deadline);
  CHECK(node.link->sent[1].params["method"] == "outline");
  CHECK(node.link->sent[1].params["input"]["$placeholder"]["call"] == node.link->sent[0].call.text());
}

TEST_CASE("a value that is not there yet holds back the later calls to that agent, and no others") {
  FakeNode node, other;
  const Message late = pending();
  const Message first = node.agent(late);
  const Message second = node.agent(2);
  const Message elsewhere = other.agent(3);
  CHECK(node.sent() == 0);
  CHECK(other.sent() == 1);
  settle(late, 1);
  CHECK(node.inputs() == std::vector<Json>{content(1), content(2)});
}

TEST_CASE("an input that settles while its call is looked at is not missed") {
  FakeNode node;
  // So many parts that looking at them takes a while.
  std::vector<Message> parts(20'000, Message(0));
  for (std::size_t i = 1; i <= 50; ++i) {
    parts.back() = pending();
    const Message answer = node.agent(Message::inputs(parts));
    std::this_thread::sleep_for(i * 20us);
    settle(parts.back(), i);
    REQUIRE(node.sent() == i);
  }
}

TEST_CASE("an input whose own call has not been sent is waited for, and then sent by reference") {
  FakeNode node, other;
  const Message late = pending();
  const Message first = node.agent(late);
  const Message second = other.agent(first);
  CHECK(other.sent() == 0);
  CHECK_FALSE(first.placeholder());
  settle(late, 1);
  CHECK(node.sent() == 1);
  REQUIRE(other.sent() == 1);
  CHECK(other.inputs()[0]["$placeholder"]["host"] == node.host);
  CHECK(first.placeholder());
}

TEST_CASE("a value that is read is waited for until its call's deadline, and its error says whose it is") {
  using Clock = std::chrono::steady_clock;
  FakeNode node;
  const auto asked_until = [&](const Message& answer, std::size_t index) {
    node.settle(index, {agentd::detail::MessageData{}, true});
    answer.then([](const Message&) {});
    return on_loop([&] { return node.link->requests.at(index).deadline; });
  };
  const auto made = Clock::now();
  const Message hurried = node.agent.call("reply", 1, {.deadline = 5s});
  REQUIRE(node.sent() == 1);
  CHECK(asked_until(hurried, 0) > made + 5s);
  CHECK(node.link->requests[0].deadline < Clock::now() + 6s);
  const Message patient = node.agent.call("reply", 2, {.deadline = 1h});
  REQUIRE(node.sent() == 2);
  CHECK(asked_until(patient, 1) < Clock::now() + 31s);
  // Read when its deadline is over, it has as long as it had then.
  const Message late = node.agent.call("reply", 3, {.deadline = 50ms});
  REQUIRE(node.sent() == 3);
  std::this_thread::sleep_for(60ms);
  const auto read = Clock::now();
  CHECK(asked_until(late, 2) >= read + 49ms);
  CHECK(node.link->requests[2].deadline < Clock::now() + 1s);

  on_loop([&] { node.link->requests[0].on_result(Error(ErrorKind::deadline_exceeded, "no answer")); });
  REQUIRE(hurried.error());
  CHECK(hurried.error()->agent() == "agent");
  CHECK(hurried.error()->node() == node.host + ":1");
  CHECK(hurried.error()->call() == node.link->sent[0].call.text());
}

TEST_CASE("an answer on loopback goes to another machine by value, fetched where it is elsewhere") {
  FakeNode here("127.0."), there;
  const Message first = here.agent(1);
  const Message second = there.agent(first);
  const Message third = there.agent("later");
  CHECK(there.sent() == 0);
  here.settle(0, {agentd::detail::MessageData{}, true});
  const auto asked = on_loop([&] { return here.link->requests.size(); });
  REQUIRE(asked == 1);
  CHECK(here.link->requests[0].method == "call.get");
  CHECK(there.sent() == 0);
  on_loop(
      [&] { here.link->requests[0].on_result(std::string(R"({"state":"done","value":{"content":7}})")); });
  CHECK(there.inputs() == std::vector<Json>{content(7), content("later")});
}

TEST_CASE("a failed input fails the call, which is not sent, and leaves its lane") {
  FakeNode node;
  const Message late = pending();
  const Message first = node.agent(late);
  const Message second = node.agent(2);
  late.cell()->fail(Error(ErrorKind::agent_failed, "no tide").at_agent("moon"));
  REQUIRE(first.error());
  CHECK(first.error()->kind() == ErrorKind::input_failed);
  CHECK(first.error()->root().agent() == "moon");
  CHECK(first.error()->agent() == "agent");
  CHECK(node.inputs() == std::vector<Json>{content(2)});
}

TEST_CASE("a call in the middle of a lane fails as soon as its input has") {
  FakeNode node;
  const Message never = pending(), late = pending();
  const Message first = node.agent(never);
  const Message second = node.agent(Message::inputs({1, late}));
  late.cell()->fail(Error(ErrorKind::agent_failed, "no"));
  REQUIRE(second.error());
  CHECK(second.error()->kind() == ErrorKind::input_failed);
  settle(never, 1);
  CHECK(node.sent() == 1);
}

TEST_CASE("a call fails at its deadline while it is held back, and the others go on") {
  FakeNode node;
  const Message never = pending();
  const Message first = node.agent.call("reply", never, {.deadline = 20ms});
  const Message second = node.agent(2);
  REQUIRE(first.error());
  CHECK(first.error()->kind() == ErrorKind::deadline_exceeded);
  settle(never, 1);
  CHECK(node.inputs() == std::vector<Json>{content(2)});
}

TEST_CASE("a lane goes on when the call at its head is given up, whatever its input does") {
  FakeNode node;
  const Message never = pending();
  const bool cancels = GENERATE(true, false);
  const Message first = node.agent.call("reply", never, {.deadline = cancels ? 1h : 20ms});
  const Message second = node.agent(2);
  CHECK(node.sent() == 0);
  if (cancels) first.cancel();
  REQUIRE(first.error());
  on_loop([] {});
  CHECK(node.inputs() == std::vector<Json>{content(2)});
}

TEST_CASE("a call that nobody holds fails with its input, and the next one leaves") {
  FakeNode node;
  const Message failed = pending();
  failed.cell()->fail(Error(ErrorKind::agent_failed, "no tide"));
  (void)node.agent(failed);
  (void)node.agent(Message::inputs({1, failed}));
  const Message next = node.agent(2);
  CHECK(node.inputs() == std::vector<Json>{content(2)});
}

TEST_CASE("cancelling what was not sent withdraws it, cancelling what was sent asks the node") {
  FakeNode node;
  const Message sent = node.agent(1);
  const Message never = pending();
  const Message held = node.agent(never);
  held.cancel();
  sent.cancel();
  REQUIRE(held.error());
  CHECK(held.error()->kind() == ErrorKind::cancelled);
  on_loop([] {});
  REQUIRE(node.link->requests.size() == 1);
  CHECK(node.link->requests[0].method == "call.cancel");
  settle(never, 1);
  CHECK(node.sent() == 1);
}

TEST_CASE("an outcome is released when it has settled and the last message is gone") {
  FakeNode node;
  CallId id;
  {
    const Message answer = node.agent(1);
    REQUIRE(node.sent() == 1);
    id = node.link->sent[0].call;
  }
  CHECK(on_loop([&] { return node.link->released.size(); }) == 0);
  node.answer(0, "nobody reads it");
  CHECK(node.released() == std::vector{id});
}

TEST_CASE("a release says whether the call was done: only then may it overtake others") {
  FakeNode node;
  const bool done = GENERATE(true, false);
  const bool elsewhere = done && GENERATE(true, false);
  (void)node.agent(1);
  REQUIRE(node.sent() == 1);
  if (elsewhere) {
    node.settle(0, {{}, true});
  } else if (done) {
    node.answer(0, 1);
  } else {
    node.settle(0, {Error(ErrorKind::overloaded, "full")});
  }
  REQUIRE(node.released().size() == 1);
  CHECK(on_loop([&] { return node.link->released_as_done.size(); }) == (done ? 1 : 0));
}

TEST_CASE("what an unsettled call depends on is not released") {
  FakeNode node, other;
  Message first = node.agent(1);
  const Message second = other.agent(first);
  REQUIRE(other.sent() == 1);
  node.answer(0, 1);
  const CallId id = node.link->sent[0].call;
  first = {};
  std::this_thread::sleep_for(60ms);
  CHECK(on_loop([&] { return node.link->released.size(); }) == 0);
  other.answer(0, 2);
  CHECK(node.released() == std::vector{id});
}

TEST_CASE("progress comes to who asked for it") {
  FakeNode node;
  const Message answer = node.agent(1);
  std::vector<Json> pieces;
  answer.on_progress([&](const Json& piece) { pieces.push_back(piece); });
  REQUIRE(node.sent() == 1);
  on_loop([&] {
    node.link->sent[0].on_progress("\"one\"");
    node.link->sent[0].on_progress("1e999");
    node.link->sent[0].on_progress("2");
  });
  CHECK(pieces == std::vector<Json>{"one", 2});
}

TEST_CASE("a callback that would wait for its own thread is told so") {
  FakeNode node;
  const auto wait = GENERATE(
      +[](const Message& late) { return late.content(); },
      +[](const Message& late) { return agentd::sync_wait(awaiting(late)).content(); },
      +[](const Message& late) { return agentd::sync_wait(reading(late)).content(); },
      +[](const Message&) { return agentd::sync_wait(sleeping()).content(); });
  const Message first = node.agent(1), second = node.agent(2);
  std::promise<std::string> said;
  first.then([&](const Message&) {
    try {
      (void)wait(second);
      said.set_value("nothing");
    } catch (const std::logic_error& error) {
      said.set_value(error.what());
    }
  });
  REQUIRE(node.sent() == 2);
  node.answer(0, 1);
  CHECK(said.get_future().get().find("not there yet") != std::string::npos);
}

TEST_CASE("a callback may run a coroutine to its end that finds all there") {
  FakeNode node;
  const Message first = node.agent(1);
  std::promise<Json> said;
  first.then([&](const Message& settled) { said.set_value(agentd::sync_wait(awaiting(settled)).content()); });
  REQUIRE(node.sent() == 1);
  node.answer(0, 7);
  CHECK(said.get_future().get() == 7);
}

TEST_CASE("an input too large for a frame fails here") {
  FakeNode node;
  const Message answer = node.agent(std::string(3U << 20, 'x'));
  REQUIRE(answer.error());
  CHECK(answer.error()->kind() == ErrorKind::invalid_params);
  CHECK(node.sent() == 0);
}

TEST_CASE("a clone takes its place behind the calls made before it") {
  FakeNode node;
  const Message late = pending();
  const Message first = node.agent(late);
  auto copy = std::async(std::launch::async, [&] { return node.agent.clone(); });
  CHECK(node.sent() == 0);
  CHECK(node.link->requests.empty());
  settle(late, 1);
  for (int i = 0; i < 2000 && on_loop([&] { return node.link->requests.size(); }) == 0; ++i) {
    std::this_thread::sleep_for(1ms);
  }
  REQUIRE(node.link->requests.size() == 1);
  CHECK(node.link->requests[0].method == "agent.clone");
  CHECK(node.sent() == 1);
  on_loop([&] { node.link->requests[0].on_result(std::string("{}")); });
  CHECK(copy.get().id() == node.link->requests[0].params["as"]);
}

TEST_CASE("two proxies of one agent are one lane") {
  FakeNode node;
  const AgentRef again = agentd::attach("agent", {node.host, 1});
  CHECK(again.target() == node.agent.target());
}
