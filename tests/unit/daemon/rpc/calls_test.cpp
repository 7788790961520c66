#include "tests/unit/daemon/rpc/world.hpp"

namespace agentd::rpc {
namespace {

/// Calls as a program writes them, in one frame.
class Program {
public:
  void call(const CallId& id, const std::string& input, const std::string& agent = "a") {
    protocol::OutgoingCall outgoing;
    const std::string call(id.text());
    outgoing.agent = agent;
    outgoing.call = call;
    outgoing.settled = protocol::SettledMode::automatic;
    outgoing.input = input;
    std::string params;
    protocol::append_call_params(params, outgoing);
    add("agent.call", params);
  }
  void release(const CallId& id) { add("call.release", R"({"calls":[")" + std::string(id.text()) + "\"]}"); }

  /// Sends what has been added, and waits until nothing of it goes on.
  void send(World& world) {
    REQUIRE(protocol::CallFrame().read(frame_ + ']'));
    world.dispatcher->handle_frame(channel, std::exchange(frame_, "") + ']');
    world.settle();
  }
  [[nodiscard]] Json settled(const CallId& id) const {
    const auto all = channel->settled(std::string(id.text()));
    REQUIRE(all.size() == 1);
    return all.front();
  }

  std::shared_ptr<FakeChannel> channel = std::make_shared<FakeChannel>("me");

private:
  void add(const std::string& method, const std::string& params) {
    frame_ += frame_.empty() ? '[' : ',';
    protocol::append_notification(frame_, method, params);
  }

  std::string frame_;
};

}  // namespace

TEST_CASE("calls of one frame are made in the order in which they stand there") {
  World world;
  Program program;
  world.rpc(program.channel, "agent.create", {{"type", "counter"}, {"agent", "a"}});
  std::vector<CallId> calls;
  for (int i = 1; i <= 20; ++i) {
    program.call(calls.emplace_back(CallId::mint()), R"({"content":)" + std::to_string(i) + '}');
  }
  program.send(world);
  for (int i = 1; i <= 20; ++i) {
    CHECK(program.settled(calls[static_cast<std::size_t>(i) - 1])["value"]["content"] == i * (i + 1) / 2);
  }
}

TEST_CASE("a call of such a frame takes placeholders, joins and literals as any other") {
  World world;
  Program program;
  for (const char* agent : {"a", "b"}) {
    world.rpc(program.channel, "agent.create", {{"type", "echo"}, {"agent", agent}});
  }
  const CallId first = CallId::mint();
  const CallId whole = CallId::mint();
  const CallId inside = CallId::mint();
  const CallId joined = CallId::mint();
  const CallId literal = CallId::mint();
  std::string placeholder;
  protocol::append_placeholder(placeholder, {world.runtime->self(), first});
  program.call(whole, placeholder);
  program.call(inside, R"({"content":[)" + placeholder + ",2]}");
  program.call(joined, R"([{"content":0},)" + placeholder + ']');
  program.call(literal, R"({"content":{"$literal":)" + placeholder + "}}");
  program.call(first, R"({"role":"user","content":"one"})", "b");
  program.send(world);
  CHECK(program.settled(whole)["value"]["content"] == "one");
  CHECK(program.settled(inside)["value"]["content"] == Json{"one", 2});
  CHECK(program.settled(joined)["value"]["content"] == Json{0, "one"});
  CHECK(program.settled(literal)["value"]["content"] == Json::parse(placeholder));
}

TEST_CASE("a call that is made again in another form joins the first") {
  World world;
  Program program;
  world.rpc(program.channel, "agent.create", {{"type", "counter"}, {"agent", "a"}});
  const CallId id = CallId::mint();
  const Json same{{"agent", "a"}, {"call", id.text()}, {"input", {{"content", 1}}}};
  const bool quick_first = GENERATE(true, false);
  if (!quick_first) world.rpc(program.channel, "agent.call", same);
  program.call(id, R"({"content":1})");
  program.send(world);
  const Json joined = world.rpc(program.channel, "agent.call", same);
  CHECK(joined["result"]["call"] == id.text());
  CHECK(program.settled(id)["value"]["content"] == 1);
  CHECK(world.runtime->tally().accepted == 1);
}

TEST_CASE("a frame of more calls than a batch may have is refused as a whole") {
  runtime::Limits limits;
  limits.batch = 3;
  World world(limits);
  Program program;
  for (int i = 0; i < 4; ++i) program.call(CallId::mint(), "1");
  program.send(world);
  REQUIRE(program.channel->inbox.size() == 1);
  CHECK(program.channel->inbox[0]["error"]["data"]["limit"] == "batch");
}

TEST_CASE("what is wrong with one call of a frame is told, and the others run") {
  World world;
  Program program;
  world.rpc(program.channel, "agent.create", {{"type", "echo"}, {"agent", "a"}});
  const CallId missing = CallId::mint();
  const CallId unknown_member = CallId::mint();
  const CallId good = CallId::mint();
  program.call(missing, "1", "nobody");
  program.call(unknown_member, R"({"content":1,"contents":2})");
  program.call(good, "1");
  program.send(world);
  CHECK(program.settled(missing)["error"]["data"]["kind"] == "agent_not_found");
  CHECK(program.settled(unknown_member)["error"]["data"]["kind"] == "invalid_params");
  CHECK(program.settled(good)["value"]["content"] == 1);
}

TEST_CASE("a release behind its call in one frame takes effect when the call has settled") {
  World world;
  Program program;
  world.rpc(program.channel, "agent.create", {{"type", "echo"}, {"agent", "a"}});
  const CallId call = CallId::mint();
  program.call(call, "1");
  program.release(call);
  program.send(world);
  CHECK(program.settled(call)["state"] == "done");
  CHECK_FALSE(world.runtime->find_call(call).has_value());
}

}  // namespace agentd::rpc
