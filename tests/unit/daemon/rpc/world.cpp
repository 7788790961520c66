#include "tests/unit/daemon/rpc/world.hpp"

#include <algorithm>

#include "daemon/agents/builtin.hpp"

namespace agentd::rpc {
namespace {

using namespace std::chrono_literals;

struct Body : Agent {};

}  // namespace

std::vector<Json> FakeChannel::settled(const std::string& call) const {
  std::vector<Json> found;
  for (const Json& message : inbox) {
    if (message.value("method", "") == "call.settled" && message["params"]["call"] == call) {
      found.push_back(message["params"]);
    }
  }
  return found;
}

Json FakeChannel::answer(int id) const {
  const auto found = std::find_if(inbox.begin(), inbox.end(), [id](const Json& message) {
    return !message.contains("method") && message["id"] == id;
  });
  return found == inbox.end() ? Json() : *found;
}

World::World(const runtime::Limits& limits) {
  for (AgentType& type : agents::builtin_types()) REQUIRE(types.add(std::move(type)).has_value());
  AgentType block = agent_type<Body>("block");
  block.execution = Execution::worker;
  block.methods["reply"] = AgentType::Method([this](Agent&, const Message& input) {
    pass();
    return input;
  });
  REQUIRE(types.add(std::move(block)).has_value());
  runtime::RuntimeSettings settings;
  settings.self = {"here", 1};
  settings.limits = limits;
  runtime = std::make_unique<runtime::Runtime>(loop, types, nullptr, settings);
  runtime->gate()->bind_to_this_thread();
  NodeFacts facts;
  facts.address = settings.self;
  dispatcher = std::make_unique<JsonRpcDispatcher>(*runtime, *this, facts);
}

World::~World() {
  open();
  runtime->close(runtime::Runtime::Clock::now() + 20s);
}

void World::notify(const std::shared_ptr<FakeChannel>& channel, const std::string& method,
                   const Json& params) {
  dispatcher->handle_frame(channel, Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump());
}

int World::request(const std::shared_ptr<FakeChannel>& channel, const std::string& method,
                   const Json& params) {
  const Json request{{"jsonrpc", "2.0"}, {"id", ++last_id_}, {"method", method}, {"params", params}};
  dispatcher->handle_frame(channel, request.dump());
  return last_id_;
}

Json World::rpc(const std::shared_ptr<FakeChannel>& channel, const std::string& method, const Json& params) {
  const int id = request(channel, method, params);
  REQUIRE(until([&] { return !channel->answer(id).is_null(); }));
  return channel->answer(id);
}

void World::settle() {
  for (int i = 0; i < 100; ++i) loop.run_once(0ms);
}

bool World::until(const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + 30s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    settle();
    // What is still missing comes from a worker, or in time.
    if (!done()) loop.run_once(2ms);
  }
  return true;
}

void World::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

bool World::begun() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 20s, [this] { return waiting_ > 0; });
}

void World::pass() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return open_; });
}

}  // namespace agentd::rpc
