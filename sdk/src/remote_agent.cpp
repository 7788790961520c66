#include "sdk/src/remote_agent.hpp"

#include <future>
#include <stdexcept>
#include <utility>

#include "common/json/text.hpp"
#include "common/protocol/params.hpp"
#include "sdk/src/create.hpp"
#include "sdk/src/deadline.hpp"
#include "sdk/src/input_text.hpp"
#include "sdk/src/outside_context.hpp"

namespace agentd::sdk {
namespace {

/// What a node takes in one frame, less what the envelope may add.
constexpr std::size_t largest_params = (2U << 20) - (4U << 10);
constexpr std::chrono::seconds clone_limit{300};

Error input_failed(const Error& cause) {
  return Error(ErrorKind::input_failed, "an input of this call failed: " + cause.message()).because(cause);
}

Error too_large(std::size_t size) {
  return Error(ErrorKind::invalid_params, "the call is " + std::to_string(size) +
                                              " bytes long with its input; a node takes " +
                                              std::to_string(largest_params))
      .with("limit", "frame");
}

}  // namespace

RemoteAgent::RemoteAgent(Session& session, SessionNode& node, AgentAddress address)
    : session_(session), address_(std::move(address)), home_(home_of(address_.agent)), node_(node) {}

RemoteAgent::~RemoteAgent() { session_.forget(*this); }

std::shared_ptr<RemoteAgent> RemoteAgent::self() {
  return std::static_pointer_cast<RemoteAgent>(weak_from_this().lock());
}

Message RemoteAgent::call(std::string_view method, const Message& input, const CallOptions& options) {
  RemoteCall::Plan plan;
  plan.method = method;
  if (options.deadline) plan.deadline = deadline_after(*options.deadline);
  return make_call(CallId::mint_at(home_), input, std::move(plan));
}

Message RemoteAgent::call_from(detail::CallContext& context, std::string_view method, const Message& input,
                               const CallOptions& options) {
  return node_.lost ? call(method, input, options) : Target::call_from(context, method, input, options);
}

Message RemoteAgent::make_call(const CallId& id, const Message& input, RemoteCall::Plan plan) {
  plan.plain = is_plain(input);
  if (plan.plain) {
    write_params(plan, id, input);
  } else {
    plan.input = input;
  }
  auto owned = std::make_unique<RemoteCall>(session_, self(), node_, id, std::move(plan));
  RemoteCall& call = *owned;
  auto cell = detail::Cell::make(std::move(owned));
  call.hold(cell);
  session_.hand_over(call);
  return Message(std::move(cell));
}

void RemoteAgent::write_params(RemoteCall::Plan& plan, const CallId& id, const Message& input) const {
  protocol::OutgoingCall outgoing;
  outgoing.agent = address_.agent;
  outgoing.method = plan.method;
  outgoing.call = id.text();
  outgoing.settled = protocol::SettledMode::automatic;
  outgoing.caller = plan.caller;
  outgoing.path = plan.path.empty() ? nullptr : &plan.path;
  // A thousand of these wait at once: no longer than most are.
  plan.params.reserve(values_size(input) + 128);
  protocol::append_call_params(plan.params, outgoing);
  // The input goes before the end, and the link adds the remaining time, and the end.
  plan.params.pop_back();
  if (input.empty()) return;
  plan.params += R"(,"input":)";
  append_input(plan.params, input, node_);
}

void RemoteAgent::submit(RemoteCall& call) {
  // A call whose input has failed fails at once, and perhaps nobody else holds it.
  const auto keep = call.plan().plain ? nullptr : call.cell();
  if (!call.plan().plain) look_at_inputs(call);
  if (call.state() == RemoteCall::State::settled) return;
  auto lane = lanes_.find(call.plan().caller);
  if (lane == lanes_.end()) {
    if (sendable(call)) return send(call);
    lane = lanes_.emplace(call.plan().caller, Lane()).first;
  }
  Step step;
  step.cell = call.cell();
  step.call = &call;
  lane->second.push_back(std::move(step));
  call.watch_deadline();
  if (call.plan().plain) return;
  watch_inputs(call);
  // What settles on another thread may have done so after it was looked at, and before it was watched.
  const std::string caller = call.plan().caller;
  look_at_inputs(call);
  pump(caller);
}

bool RemoteAgent::sendable(RemoteCall& call) {
  if (call.plan().plain) return true;
  bool ready = true;
  for_each_part(call.plan().input, [&](const std::shared_ptr<detail::Cell>& cell) {
    const PartState state = part_state(*cell, node_);
    ready = ready && (state == PartState::value || state == PartState::reference);
  });
  return ready;
}

void RemoteAgent::send(RemoteCall& call) {
  if (call.plan().params.empty()) write_params(call.plan(), call.id(), call.plan().input);
  const std::size_t size = call.plan().params.size();
  if (size > largest_params) return call.fail(too_large(size));
  call.send();
}

/// Fails the call at once where an input has.
void RemoteAgent::look_at_inputs(RemoteCall& call) {
  if (call.state() != RemoteCall::State::held) return;
  const Error* cause = nullptr;
  for_each_part(call.plan().input, [&](const std::shared_ptr<detail::Cell>& cell) {
    if (!cause && part_state(*cell, node_) == PartState::failed) cause = cell->error();
  });
  if (cause) call.fail(input_failed(*cause));
}

void RemoteAgent::watch_inputs(RemoteCall& call) {
  const std::weak_ptr<detail::Cell> waiting = call.cell();
  // Runs on the loop; what it looks at may have settled long ago.
  const auto look = [this, waiting, agent = self(), caller = call.plan().caller] {
    if (const auto cell = waiting.lock()) look_at_inputs(*remote_call_of(*cell));
    pump(caller);
  };
  for_each_part(call.plan().input, [&](const std::shared_ptr<detail::Cell>& cell) {
    switch (part_state(*cell, node_)) {
      case PartState::waits_for_sending:
        remote_call_of(*cell)->when_sent([this, look] { session_.post(look); });
        cell->when_settled([this, look] { session_.post(look); });
        break;
      case PartState::waits_for_value:
        cell->when_readable([this, look] { session_.post(look); });
        break;
      case PartState::value:
      case PartState::reference:
      case PartState::failed:
        break;
    }
  });
}

void RemoteAgent::pump(const std::string& caller) {
  const auto found = lanes_.find(caller);
  if (found == lanes_.end()) return;
  Lane& lane = found->second;
  const auto keep = self();
  while (!lane.empty()) {
    RemoteCall* call = lane.front().call;
    if (call && !call->plan().plain) look_at_inputs(*call);
    const bool gone = call && call->state() != RemoteCall::State::held;
    if (call && !gone && !sendable(*call)) return;
    const Step step = std::move(lane.front());
    lane.pop_front();
    if (step.act) {
      step.act();
    } else if (!gone) {
      send(*call);
    }
  }
  lanes_.erase(found);
}

void RemoteAgent::in_lane(std::function<void()> act) {
  const auto lane = lanes_.find("");
  if (lane == lanes_.end()) return act();
  Step step;
  step.act = std::move(act);
  lane->second.push_back(std::move(step));
}

AgentRef RemoteAgent::clone() {
  if (session_.on_loop()) {
    throw std::logic_error("AgentRef::clone waits, so it cannot be called from a callback");
  }
  const BlockingScope blocking;
  // The copy's id is minted here, so that asking again makes no second one.
  const std::string as = mint_agent_id_near(address_.agent, home_);
  std::promise<Result<std::string>> answer;
  ask_for_clone(as, [&answer](Result<std::string> result) { answer.set_value(std::move(result)); });
  const auto result = session_.wait_for(answer.get_future());
  if (!result) throw located(result.error(), node_, address_.agent);
  return AgentRef(session_.agent({address_.node, as}));
}

void RemoteAgent::ask_for_clone(const std::string& as, std::function<void(Result<std::string>)> done) {
  std::string params = R"({"agent":)";
  json::append_string(params, address_.agent);
  params += R"(,"as":)";
  json::append_string(params, as);
  params += '}';
  session_.post([agent = self(), params = std::move(params), done = std::move(done)]() mutable {
    agent->in_lane([agent, params = std::move(params), done = std::move(done)]() mutable {
      agent->session_.link(agent->node_)
          .request("agent.clone", std::move(params), RemoteCall::Clock::now() + clone_limit, std::move(done));
    });
  });
}

AgentRef RemoteAgent::to_dist(const DistOptions&) {
  throw located(
      Error(ErrorKind::not_supported, "the agent " + address_.text() +
                                          " is distributed already; to_dist moves an agent that make() made"),
      node_, address_.agent);
}

}  // namespace agentd::sdk
