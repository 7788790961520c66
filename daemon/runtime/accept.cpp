// How calls come in: joined, refused, or opened.

#include <algorithm>
#include <utility>

#include "daemon/runtime/circles.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

constexpr std::string_view waits_for_itself = "this call waits, through others, for itself";
/// How many times, in all, the search for one circle goes from one shard to another: a circle that takes more
/// ends by its deadline. A chain of many calls costs so much for each of them.
constexpr std::size_t most_probes = 32;

}  // namespace

Error Runtime::call_not_found(const CallId& id) const {
  Error error(ErrorKind::call_not_found, "call " + std::string(id.text()) +
                                             " is not known here: it never came, was released, or expired");
  return error.at_call(id.text()).at_node(settings_.self.text());
}

Error Runtime::located(Error error, const Call& call) const {
  return error.at_call(call.id.text()).at_agent(call.agent->id).at_node(settings_.self.text());
}

Result<CallPtr> Runtime::find_call(const CallId& id) {
  if (Call* const found = calls_.find(id)) return CallPtr(found);
  return call_not_found(id);
}

Result<CallPtr> Runtime::join(Call& call, const CallRequest& request) const {
  const bool same = call.agent->id == request.agent && call.method->first == request.method &&
                    call.input.fingerprint() == request.input.fingerprint();
  if (same) return CallPtr(&call);
  Error error(ErrorKind::conflict, "call id " + std::string(call.id.text()) +
                                       " was used before for another request (agent \"" + call.agent->id +
                                       "\", method \"" + call.method->first + "\"): mint a new id");
  return error.at_call(call.id.text()).at_agent(call.agent->id).at_node(settings_.self.text());
}

Error Runtime::used_elsewhere(const CallId& id) const {
  Error error(ErrorKind::conflict,
              "call id " + std::string(id.text()) +
                  " was used before for another request, to another agent: mint a new id");
  return error.at_call(id.text()).at_node(settings_.self.text());
}

Result<void> Runtime::check_path(const CallRequest& request) const {
  if (request.path.empty()) return {};
  const std::string here = AgentAddress{settings_.self, std::string(request.agent)}.text();
  if (std::find(request.path.begin(), request.path.end(), here) == request.path.end()) return {};
  Error error(ErrorKind::cycle, "agent \"" + std::string(request.agent) +
                                    "\" is waiting for this very call: it would come back to itself");
  Json path = request.path;
  path.push_back(here);
  return error.with("path", std::move(path)).at_agent(request.agent).at_node(settings_.self.text());
}

Result<void> Runtime::check_input(const CallRequest& request) const {
  for (std::size_t slot = 0; slot < request.input.slots(); ++slot) {
    const auto& source = request.input.source(slot);
    if (!source.placeholder || source.placeholder->call != request.call) continue;
    if (!is_self(source.placeholder->node)) continue;
    Error error(ErrorKind::cycle, "call " + std::string(request.call.text()) + " has itself as an input");
    const std::string here = AgentAddress{settings_.self, std::string(request.agent)}.text();
    return error.with("path", Json::array({here, here})).at_call(request.call.text()).at_agent(request.agent);
  }
  return {};
}

Result<void> Runtime::check_mailbox(const HostedAgent& agent) const {
  const auto most = agent.settings && agent.settings->options.mailbox ? *agent.settings->options.mailbox
                                                                      : settings_.limits.mailbox;
  // The first that can start does at the end of this turn: the others wait behind it.
  const std::size_t starting = !agent.running && agent.mailbox.has_eligible() ? 1 : 0;
  if (agent.mailbox.size() < most + starting) return {};
  return overloaded("mailbox", "the mailbox of agent \"" + agent.id + "\" is full: " + std::to_string(most) +
                                   " calls wait for it; send the call again later");
}

Result<void> Runtime::check_bounds(const CallRequest& request, const HostedAgent& agent) const {
  if (auto checked = check_lane(agent, request.caller, request.call); !checked) return checked;
  if (auto checked = check_mailbox(agent); !checked) return checked;
  const Limits& limits = settings_.limits;
  const Totals& others = this->others();
  if (const auto unsettled = tally_.unsettled + others.unsettled; unsettled >= limits.calls) {
    return overloaded("calls", "this node has " + std::to_string(unsettled) +
                                   " unsettled calls, which is its limit (limits.calls)");
  }
  if (tally_.outcome_bytes + others.outcome_bytes >= limits.outcomes) {
    return overloaded("outcomes", "the outcome store is full (limits.outcomes = " +
                                      std::to_string(limits.outcomes) + " bytes): release what is read");
  }
  if (request.caller && request.caller->outcome_bytes >= limits.outcomes / 4) {
    return overloaded("caller_outcomes", "caller \"" + request.caller->name +
                                             "\" holds a quarter of the outcome store: release what is read");
  }
  return {};
}

Result<Runtime::Admitted> Runtime::admit(const CallRequest& request) {
  if (draining()) {
    const std::string here = settings_.self.text() + '/';
    const bool nested = std::any_of(request.path.begin(), request.path.end(),
                                    [&](const std::string& hop) { return hop.starts_with(here); });
    if (!nested || closed_) {
      return Error(ErrorKind::shutting_down, "this node is draining and takes no new calls: try another one");
    }
  }
  const auto agent = find_agent(request.agent);
  if (!agent) return agent.error();
  const AgentType::Methods& methods = (*agent)->type->methods;
  const auto method = methods.find(request.method);
  if (method == methods.end()) {
    std::string known;
    for (const auto& [name, other] : methods) known += (known.empty() ? "" : ", ") + name;
    Error error(ErrorKind::invalid_params, "agent \"" + (*agent)->id + "\" has no method \"" +
                                               std::string(request.method) + "\"; it has " + known);
    return error.at_agent((*agent)->id);
  }
  if (auto checked = check_path(request); !checked) return checked.error();
  if (auto checked = check_input(request); !checked) return checked.error();
  if (auto checked = check_bounds(request, **agent); !checked) return checked.error();
  return Admitted{*agent, &*method};
}

Result<CallPtr> Runtime::accept(CallRequest& request) {
  if (Call* const there = calls_.find(request.call)) return join(*there, request);
  if (tombstones_.has(request.call, loop_.now())) return call_not_found(request.call);
  if (!claimed_.empty() && claimed_.contains(request.call)) return used_elsewhere(request.call);
  // A copy that was refused may have taken it out of there while this one was on its way.
  if (is_stray(request.call) &&
      settings_.shards->strays().add(request.call, settings_.shard) != settings_.shard) {
    return used_elsewhere(request.call);
  }
  const auto admitted = admit(request);
  if (!admitted) {
    ++tally_.refused;
    Error error = admitted.error();
    if (error.node().empty()) error.at_node(settings_.self.text());
    return error.at_call(request.call.text());
  }
  const CallPtr call = open(request, *admitted);
  // Only a call that somebody waits for already can close a circle by coming; where a method begins to
  // wait for a nested one, `note_wait` looks.
  if (call->is_awaited() && !call->is_settled()) fail_in_circle(*call, waits_for_itself);
  return call;
}

void Runtime::fail_in_circle(Call& call, std::string_view message) {
  CircleProbe probe{settings_.shard, call.id, call.seq, std::string(message), {}, most_probes};
  go_on_probing(call, std::move(probe));
}

void Runtime::go_on_probing(const Call& from, CircleProbe probe) {
  const auto add_way = [this](CircleProbe& to, const std::vector<const Call*>& way) {
    for (const Call* on : way) to.way.push_back(AgentAddress{settings_.self, on->agent->id}.text());
  };
  const WaitsOf waits = waits_of(from, probe.call, [this](const CallId& id, const NodeAddress* node) {
    if (node && !is_self(*node)) return Found();
    if (Call* const here = calls_.find(id)) return Found{here};
    return Found{nullptr, !is_here(id)};
  });
  if (!waits.circle.empty()) {
    add_way(probe, waits.circle);
    const std::size_t asks = probe.shard;
    if (asks == settings_.shard) return circle_found(probe);
    settings_.shards->at(settings_.shard, asks,
                         [probe = std::move(probe)](Runtime& origin) { origin.circle_found(probe); });
    return;
  }
  // However the waits branch: no more of them in all.
  const std::size_t count = std::min(waits.beyond.size(), probe.left);
  if (count == 0) return;
  probe.left = probe.left / count - 1;
  const auto go_on_at = [&](const WaitsOf::Beyond& beyond, CircleProbe next) {
    add_way(next, beyond.way);
    settings_.shards->at(settings_.shard, settings_.shards->of_call(beyond.id),
                         [id = beyond.id, next = std::move(next)](Runtime& there) mutable {
                           there.probe_circle(id, std::move(next));
                         });
  };
  for (std::size_t i = 0; i + 1 < count; ++i) go_on_at(waits.beyond[i], probe);
  // Of a chain the way so far is not copied at each step.
  go_on_at(waits.beyond[count - 1], std::move(probe));
}

void Runtime::probe_circle(const CallId& id, CircleProbe probe) {
  const Call* const call = calls_.find(id);
  if (call && !call->is_settled()) go_on_probing(*call, std::move(probe));
}

void Runtime::circle_found(const CircleProbe& probe) {
  Call* const call = calls_.find(probe.call);
  if (!call || call->seq != probe.seq || call->is_settled()) return;
  Json path = probe.way;
  path.push_back(path.front());
  Error error(ErrorKind::cycle, probe.message);
  settle_failed(*call, located(error.with("path", std::move(path)), *call));
}

void Runtime::now_waits(const CallId& id, std::uint64_t seq, const CallId& other) {
  Call* const call = calls_.find(id);
  if (!call || call->seq != seq || call->is_settled() || !call->is_awaited()) return;
  at_shard_of(other, [other](Runtime& there) { there.look_for_circle(other); });
}

void Runtime::look_for_circle(const CallId& id) {
  Call* const call = calls_.find(id);
  if (call && !call->is_settled()) fail_in_circle(*call, waits_for_itself);
}

CallPtr Runtime::open(CallRequest& request, const Admitted& admitted) {
  HostedAgent& agent = *admitted.agent;
  forget_refusal(request.call, Because::sent_again);
  CallPtr call(new Call);
  call->id = request.call;
  call->agent = &agent;
  call->caller = std::move(request.caller);
  call->method = admitted.method;
  call->input = std::move(request.input);
  call->path = std::move(request.path);
  call->origin = request.origin;
  call->seq = next_seq_++;
  call->accepted = loop_.wall_now();
  const auto agents_default = agent.settings ? agent.settings->options.deadline : std::nullopt;
  call->stray = call->unclaimed = is_stray(call->id);
  call->state = call->input.open() > 0 || call->unclaimed ? CallState::waiting : CallState::queued;
  if (call->state == CallState::queued) call->ready = call->accepted;
  start_deadline(*call,
                 loop_.now() + request.deadline.value_or(agents_default.value_or(settings_.limits.deadline)));

  calls_.add(call);
  ++tally_.calls;
  calls_in_order_.append(*call);
  ++tally_.unsettled;
  ++tally_.accepted;
  ++agent.calls;
  agent.mailbox.add(*call, agent.keeps_order());
  adopt_expected(*call);
  if (call->unclaimed) ask_claim(*call);
  if (call->state == CallState::waiting) resolve_inputs(call);
  schedule(agent);
  return call;
}

void Runtime::start_deadline(Call& call, Clock::time_point deadline) {
  call.deadline = deadline;
  call.timer.runtime = this;
  call.timer.call = &call;
  loop_.start(call.timer, deadline, [](async::Timer& timer) {
    auto& expiry = static_cast<Call::Expiry&>(timer);
    expiry.runtime->deadline_passed(*expiry.call);
  });
}

}  // namespace agentd::runtime
