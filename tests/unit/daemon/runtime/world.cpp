#include "tests/unit/daemon/runtime/world.hpp"

#include "daemon/agents/builtin.hpp"

namespace agentd::runtime {
namespace {

Task<Message> hold(World& world, Message input) {
  world.log.emplace_back(input.raw_content());
  world.holds.push_back(std::make_shared<detail::Cell>());
  const Message held(world.holds.back());
  co_await held;
  co_return input;
}

AgentType type_of(const std::string& name, Execution execution) {
  AgentType type = agent_type<Body>(name);
  type.execution = execution;
  return type;
}

RuntimeSettings settings_of(Limits limits, unsigned workers) {
  RuntimeSettings settings;
  settings.self = {"here", 1};
  settings.aliases = {{"alias", 1}};
  settings.limits = limits;
  settings.workers = workers;
  return settings;
}

}  // namespace

World::World(Limits limits, unsigned workers, bool alone) {
  for (AgentType& type : agents::builtin_types()) add(std::move(type));
  add_quick("log", [this](Agent&, const Message& input) {
    log.emplace_back(input.raw_content());
    return input;
  });
  add_worker("block", [this](Agent&, const Message& input) {
    door.pass();
    return input;
  });
  add_coroutine("hold", [this](Agent&, Message input) { return hold(*this, std::move(input)); });
  runtime = std::make_unique<Runtime>(loop, types, alone ? nullptr : &foreign, settings_of(limits, workers));
  runtime->gate()->bind_to_this_thread();
}

World::~World() {
  door.open();
  if (runtime) runtime->close(Runtime::Clock::now() + std::chrono::seconds(20));
  runtime.reset();
}

void World::add(AgentType type) { REQUIRE(types.add(std::move(type)).has_value()); }

void World::add_quick(const std::string& name, AgentType::Method reply) {
  AgentType type = type_of(name, Execution::loop);
  type.methods["reply"] = std::move(reply);
  add(std::move(type));
}

void World::add_worker(const std::string& name, AgentType::Method reply) {
  AgentType type = type_of(name, Execution::worker);
  type.methods["reply"] = std::move(reply);
  add(std::move(type));
}

void World::add_coroutine(const std::string& name, AgentType::AsyncMethod reply) {
  AgentType type = type_of(name, Execution::loop);
  type.methods["reply"] = std::move(reply);
  add(std::move(type));
}

AgentPtr World::make(const std::string& type, const std::string& id, const std::string& args,
                     protocol::AgentOptions options) {
  protocol::AgentCreateParams params;
  params.type = type;
  params.agent = id;
  params.args = args;
  params.options = std::move(options);
  std::optional<Result<AgentPtr>> made;
  runtime->create(std::move(params), [&](Result<AgentPtr> agent) { made = std::move(agent); });
  REQUIRE(until([&] { return made.has_value(); }));
  INFO((made->has_value() ? "" : made->error().message()));
  REQUIRE(made->has_value());
  return **made;
}

CallRequest World::request(const std::string& agent, const Ask& ask) {
  CallRequest request;
  // The views live as long as the agent's id does.
  request.agent = agent;
  request.method = ask.method;
  request.call = ask.id.empty() ? CallId::mint() : id_of(ask.id);
  auto input = protocol::read_input(ask.input, true);
  INFO(ask.input);
  REQUIRE(input.has_value());
  request.input = CallInput(*std::move(input));
  request.deadline = ask.deadline;
  if (!ask.caller.empty()) request.caller = runtime->caller(ask.caller);
  request.path = ask.path;
  request.origin = ask.connection;
  return request;
}

Result<CallPtr> World::try_call(const std::string& agent, const Ask& ask) {
  CallRequest made = request(agent, ask);
  return runtime->accept(made);
}

CallPtr World::call(const std::string& agent, const Ask& ask) {
  const auto accepted = try_call(agent, ask);
  INFO((accepted ? "" : accepted.error().message()));
  REQUIRE(accepted.has_value());
  return *accepted;
}

std::string World::placeholder(std::string_view id, const std::string& host, int port) {
  return R"({"$placeholder":{"host":")" + host + R"(","port":)" + std::to_string(port) + R"(,"call":")" +
         std::string(id) + "\"}}";
}

std::shared_ptr<Recorder> World::watch(Call& call) {
  auto recorder = std::make_shared<Recorder>();
  runtime->watch(call, recorder, protocol::SettledMode::value);
  return recorder;
}

void World::settle() {
  // A turn runs one handler at least, and on a slow machine no more.
  for (int i = 0; i < 100; ++i) loop.run_once(std::chrono::milliseconds(0));
}

bool World::until(const std::function<bool()>& done) {
  const auto limit = Runtime::Clock::now() + std::chrono::seconds(30);
  while (!done()) {
    if (Runtime::Clock::now() > limit) return false;
    settle();
    // What is still missing comes from a worker, or in time.
    if (!done()) loop.run_once(std::chrono::milliseconds(2));
  }
  return true;
}

void World::let_go(std::size_t which) { holds.at(which)->settle(message_of("null")); }

CallId id_of(const std::string& text) {
  const auto id = CallId::parse(text + std::string(text.size() < 16 ? 16 - text.size() : 0, '-'));
  REQUIRE(id.has_value());
  return *id;
}

std::string content_of(const Call& call) {
  INFO((call.error ? call.error->message() : ""));
  REQUIRE(call.state == CallState::done);
  return std::string(call.content ? *call.content : "null");
}

std::string state_of(const Call& call) { return std::string(state_name(call.state)); }

detail::MessageData message_of(std::string content) {
  detail::MessageData message;
  message.content = detail::SharedText(std::move(content));
  return message;
}

}  // namespace agentd::runtime
