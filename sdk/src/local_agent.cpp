#include "sdk/src/local_agent.hpp"

#include <algorithm>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <cxxabi.h>

#include <agentd/local.hpp>

#include "daemon/runtime/run_context.hpp"
#include "sdk/src/create.hpp"
#include "sdk/src/deadline.hpp"
#include "sdk/src/input_text.hpp"
#include "sdk/src/launcher.hpp"
#include "sdk/src/outside_context.hpp"
#include "sdk/src/remote_agent.hpp"
#include "sdk/src/session.hpp"

namespace agentd::sdk {
namespace {

/// What the program itself is called, as a caller of its local agents.
constexpr const char* program = "program";
constexpr std::chrono::seconds default_deadline{300};

Error at_an_end() {
  return Error(ErrorKind::shutting_down, "the program ends, and its local agents with it");
}

/// Waits for what a local agent's runtime answers.
template <typename T>
T wait_for(std::future<Result<T>> answer, const char* what) {
  if (answer.wait_for(default_deadline) != std::future_status::ready) {
    throw Error(
        ErrorKind::deadline_exceeded,
        std::string(what) + " had no answer for 300 s: is it called from inside the agent's own call?");
  }
  try {
    auto result = answer.get();
    if (!result) throw Error(result.error());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  } catch (const std::future_error&) {
    throw Error(at_an_end());
  }
}

/// A call on its way to the runtime, which fails where it does not get there.
class Underway {
public:
  Underway(std::shared_ptr<detail::Cell> cell, std::string agent)
      : cell_(std::move(cell)), agent_(std::move(agent)) {}
  ~Underway() {
    if (cell_) cell_->fail(at_an_end().at_agent(agent_));
  }
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;

  void arrived() { cell_.reset(); }

private:
  std::shared_ptr<detail::Cell> cell_;
  std::string agent_;
};

Error wrong_place(const std::string& what) { return Error(ErrorKind::invalid_params, "to_dist " + what); }

void check_place(const DistOptions& options) {
  if (!options.id.empty() && !is_agent_id(options.id)) {
    throw wrong_place("cannot give the agent that id: it takes [A-Za-z0-9._-]{1,128}");
  }
  if (options.share) {
    if (!options.share->host.empty() && options.share->port != 0) return;
    throw wrong_place("needs the address of a server to share: the node of an agent that was moved");
  }
  if (options.launch_server) {
    if (is_loopback(options.host)) return;
    throw wrong_place("launches a server on this machine, not on \"" + options.host +
                      "\": for one that runs there, say launch_server = false, and its port");
  }
  if (!options.host.empty() && options.port.value_or(0) != 0) return;
  throw wrong_place("with launch_server = false needs the host and the port of a server that runs");
}

/// Lets what refers to local agents that were moved say where they are now. Throws `Error` for one that is
/// here: nobody outside this process could follow it.
void follow_references(Json& json, LocalHost& host) {
  if (!json.is_structured()) return;
  const Json* agent =
      json.is_object() && json.size() == 1 && json.contains("$agent") ? &json["$agent"] : nullptr;
  if (!agent || !agent->is_object() || !agent->contains("host") || (*agent)["host"] != "") {
    for (Json& element : json) follow_references(element, host);
    return;
  }
  const Json id = agent->value("agent", Json());
  const auto local = host.find(id.is_string() ? id.get<std::string>() : "");
  if (!local || local->address().node.host.empty()) {
    throw Error(ErrorKind::invalid_params,
                "its arguments refer to the local agent " + id.dump() +
                    ", which another process cannot reach: to_dist that one first");
  }
  json = AgentRef(local);
}

}  // namespace

LocalAgent::LocalAgent(LocalHost& host, const AgentType& type, bool registered, Json args)
    : host_(host),
      type_(type),
      registered_(registered),
      args_(std::move(args)),
      address_{{}, mint_agent_id_near(type.name, home_of(Session::instance().caller()))} {}

LocalAgent::~LocalAgent() {
  host_.forget(address_.agent);
  if (in_use_) {
    host_.post([id = address_.agent](runtime::Runtime& runtime) { (void)runtime.remove(id); });
  }
}

std::shared_ptr<LocalAgent> LocalAgent::self() {
  return std::static_pointer_cast<LocalAgent>(shared_from_this());
}

std::shared_ptr<detail::Target> LocalAgent::moved_to() const {
  const std::lock_guard lock(mutex_);
  return moved_;
}

const AgentAddress& LocalAgent::address() const {
  const std::lock_guard lock(mutex_);
  if (moved_) return moved_->address();
  if (!stays_) stays_ = std::static_pointer_cast<const LocalAgent>(shared_from_this());
  return address_;
}

AgentAddress LocalAgent::whereabouts() const {
  const std::lock_guard lock(mutex_);
  return moved_ ? moved_->whereabouts() : address_;
}

std::shared_ptr<detail::Target> LocalAgent::enter() {
  const std::lock_guard lock(mutex_);
  if (moved_ && unsettled_ == 0) return moved_;
  ++unsettled_;
  return nullptr;
}

void LocalAgent::leave() {
  const std::lock_guard lock(mutex_);
  --unsettled_;
}

/// Keeps the agent until its calls have settled, whoever else refers to it.
void LocalAgent::leave_when_settled(const Message& outcome) {
  outcome.cell()->when_settled([agent = self()] { agent->leave(); });
}

Message LocalAgent::call(std::string_view method, const Message& input, const CallOptions& options) {
  if (const auto moved = enter()) return moved->call(method, input, options);
  make_sure_it_is_made();
  return send(method, input, options);
}

Message LocalAgent::call_from(detail::CallContext& context, std::string_view method, const Message& input,
                              const CallOptions& options) {
  if (const auto moved = enter()) return moved->call_from(context, method, input, options);
  try {
    make_sure_it_is_made();
    const Message outcome = context.call(address_, method, input, options);
    leave_when_settled(outcome);
    return outcome;
  } catch (...) {
    leave();
    throw;
  }
}

bool LocalAgent::is_fresh() const {
  const std::lock_guard lock(mutex_);
  return !in_use_;
}

std::optional<Error> LocalAgent::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

void LocalAgent::make_sure_it_is_made() {
  {
    const std::lock_guard lock(mutex_);
    // Posted under the lock: whoever finds it in use posts its call later.
    if (!std::exchange(in_use_, true)) {
      host_.post([agent = self()](runtime::Runtime& runtime) { agent->make(runtime); });
    }
  }
  // A nested call on the loop looks for the agent at once.
  if (host_.on_loop() && !known_) {
    host_.enter([agent = self()](runtime::Runtime& runtime) { agent->make(runtime); });
  }
}

void LocalAgent::make(runtime::Runtime& runtime) {
  if (std::exchange(known_, true)) return;
  const auto type = host_.know(type_);
  if (!type) return made(type.error());
  protocol::AgentCreateParams params;
  params.type = *type;
  params.agent = address_.agent;
  try {
    params.args = args_text(type_.name, args_);
  } catch (const Error& error) {
    return made(error);
  }
  runtime.create(params, [agent = self()](const Result<runtime::AgentPtr>& result) { agent->made(result); });
}

void LocalAgent::made(const Result<runtime::AgentPtr>& result) {
  if (result) return static_cast<Resident&>(*(*result)->body).lives_at(residence_);
  const std::lock_guard lock(mutex_);
  refusal_ = result.error();
}

Message LocalAgent::send(std::string_view method, const Message& input, const CallOptions& options) {
  runtime::Runtime::NestedCall call;
  call.agent = address_;
  call.method = method;
  call.input = input;
  call.call = CallId::mint();
  call.caller = program;
  call.deadline = deadline_after(options.deadline.value_or(default_deadline));
  const Message outcome = runtime::make_nested_message(host_.gate(), {}, call.call);
  call.cell = outcome.cell();
  leave_when_settled(outcome);
  const auto underway = std::make_shared<Underway>(outcome.cell(), address_.agent);
  host_.post([agent = self(), call = std::move(call), underway](runtime::Runtime& runtime) {
    underway->arrived();
    runtime.call_nested(call);
  });
  return outcome;
}

AgentRef LocalAgent::clone() {
  // As a call does: what went to the instance here before is not overtaken on the way to where it is now.
  if (const auto moved = enter()) return moved->clone();
  const std::shared_ptr<void> entered(nullptr, [this](void*) { leave(); });
  auto copy = std::make_shared<LocalAgent>(host_, type_, registered_, args_);
  host_.add(copy);
  if (is_fresh()) return AgentRef(std::move(copy));
  if (host_.on_loop())
    throw std::logic_error("AgentRef::clone waits, so it cannot be called on a loop's thread");
  const BlockingScope blocking;
  copy->in_use_ = copy->known_ = true;
  // Only whether it was made: a reference to an agent of the runtime must not leave the loop.
  auto answer = std::make_shared<std::promise<Result<void>>>();
  host_.post([id = address_.agent, copy, answer](runtime::Runtime& runtime) {
    runtime.clone(id, copy->address_.agent, runtime.caller(program),
                  [copy, answer](const Result<runtime::AgentPtr>& result) {
                    copy->made(result);
                    answer->set_value(result ? Result<void>() : result.error());
                  });
  });
  try {
    wait_for(answer->get_future(), "the clone");
  } catch (Error& error) {
    // It has been moved, or was before it came to be saved.
    if (const auto moved = moved_to()) return moved->clone();
    if (error.agent().empty()) error.at_agent(address_.agent);
    throw;
  }
  return AgentRef(std::move(copy));
}

void LocalAgent::check_can_move(const DistOptions& options) const {
  if (!registered_) {
    throw std::logic_error(
        "to_dist needs the agent's type to have a name on the other side: add "
        "AGENTD_REGISTER_AGENT(YourType); to this program, and to the server's");
  }
  check_place(options);
  (void)args_elsewhere();
  if (host_.on_loop() || Session::instance().on_loop()) {
    throw std::logic_error("AgentRef::to_dist waits, so it cannot be called from a callback");
  }
  if (!moved_to() && waits_for(this_call::id())) {
    throw Error(ErrorKind::cycle, "the agent " + address_.agent +
                                      " leaves between two of its calls, so what runs in one of them, or was "
                                      "called from there, cannot wait for that")
        .at_agent(address_.agent);
  }
}

/// Whether that call is the one that the agent runs, or came through it.
bool LocalAgent::waits_for(const CallId& id) const {
  if (id.empty()) return false;
  const auto answer = std::make_shared<std::promise<Result<bool>>>();
  host_.post([answer, id, address = address_](runtime::Runtime& runtime) {
    const auto agent = runtime.find_agent(address.agent);
    const bool own = agent && (*agent)->running && (*agent)->running->id == id;
    const auto call = runtime.find_call(id);
    answer->set_value(own || (call && std::ranges::count((*call)->path, address.text()) > 0));
  });
  return wait_for(answer->get_future(), "the way of this call");
}

NodeAddress LocalAgent::place(const DistOptions& options) const {
  if (options.share) return *options.share;
  if (options.launch_server) return launch_server(options.port.value_or(0));
  NodeAddress node{options.host, *options.port};
  Session::instance().running_node(node);
  return node;
}

Json LocalAgent::args_elsewhere() const {
  Json args = args_;
  follow_references(args, host_);
  return args;
}

AgentRef LocalAgent::make_there(const NodeAddress& node, const std::string& id, const Json& state) const {
  // An agent that has the id already is another one, unless it was made by this very request.
  NewAgent agent{type_.name, id, "", args_elsewhere(), {{"claim", random_suffix(20)}}};
  if (!state.is_null()) agent.options["state"] = state;
  Session& session = Session::instance();
  return AgentRef(session.agent({node, create_agent(session.node(node), std::move(agent))}));
}

/// Answers false, and changes nothing, where the agent has come into use here.
bool LocalAgent::settle_there_unused(const AgentRef& there) {
  const std::lock_guard lock(mutex_);
  if (in_use_ || unsettled_ > 0) return false;
  moved_ = there.target();
  return true;
}

/// The agent leaves in its turn among the calls that its caller has made.
AgentRef LocalAgent::take_along(const NodeAddress& node, const std::string& id) {
  try {
    const CallOptions limit{.deadline = default_deadline};
    (void)AgentRef(self()).call("observe", residence_->ticket(), limit).content();
    AgentRef there = make_there(node, id, residence_->state());
    {
      const std::lock_guard lock(mutex_);
      moved_ = there.target();
    }
    residence_->moved(there);
    return there;
  } catch (...) {
    residence_->stays();
    throw;
  }
}

AgentRef LocalAgent::go_to(const NodeAddress& node, const std::string& id) {
  if (is_fresh()) {
    AgentRef there = make_there(node, id, nullptr);
    if (settle_there_unused(there)) return there;
    delete_agent(Session::instance().node(node), there.id());
  }
  AgentRef there = take_along(node, id);
  host_.post([own_id = address_.agent](runtime::Runtime& runtime) {
    const auto agent = runtime.find_agent(own_id);
    if (agent && !(*agent)->running) static_cast<Resident&>(*(*agent)->body).forget_body();
  });
  return there;
}

AgentRef LocalAgent::to_dist(const DistOptions& options) {
  check_can_move(options);
  const BlockingScope blocking;
  const bool was_here = !moved_to();
  const std::lock_guard one_at_a_time(move_mutex_);
  if (auto moved = moved_to()) {
    // By another thread, just now.
    if (was_here) return AgentRef(std::move(moved));
    return moved->to_dist(options);
  }
  const NodeAddress node = place(options);
  try {
    return go_to(node, options.id);
  } catch (...) {
    if (options.launch_server && !options.share) end_server(node);
    throw;
  }
}

}  // namespace agentd::sdk

namespace agentd::detail {

std::string readable_type_name(const std::type_info& type) {
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr), &std::free);
  std::string name;
  for (const char c : std::string_view(text ? text.get() : type.name()).substr(0, 100)) {
    name += is_agent_id({&c, 1}) ? c : '_';
  }
  return name;
}

AgentRef make_local(const AgentType& type, bool registered, const Json& args) {
  auto& host = sdk::LocalHost::instance();
  auto agent =
      std::make_shared<sdk::LocalAgent>(host, type, registered, args.is_null() ? Json::object() : args);
  host.add(agent);
  return AgentRef(std::move(agent));
}

}  // namespace agentd::detail
