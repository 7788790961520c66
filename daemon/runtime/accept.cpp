// How calls come in: joined, refused, or opened and given their inputs.

#include <algorithm>
#include <utility>

#include "daemon/runtime/circles.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

Error overloaded(std::string_view limit, std::string message) {
  Error error(ErrorKind::overloaded, std::move(message));
  return error.with("limit", std::string(limit));
}

/// Settles a message of this program, or of one of its agents, with a call's outcome.
class CellWatcher : public Watcher {
public:
  CellWatcher(std::shared_ptr<detail::Cell> cell, Message input)
      : cell_(std::move(cell)), input_(std::move(input)) {}

  void settled(const Call& call, protocol::SettledMode) override {
    if (call.state == CallState::done) {
      cell_->settle(call.message());
    } else {
      cell_->fail(*call.error);
    }
  }
  void progressed(const Call&, std::uint64_t, std::string_view value) override {
    cell_->progress(Json::parse(value));
  }
  void unknown(const CallId&, const Error& why) override { cell_->fail(why); }

private:
  std::shared_ptr<detail::Cell> cell_;
  /// What the call was given stays wanted until it has settled.
  Message input_;
};

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
  if (const auto found = calls_.find(id); found != calls_.end()) return found->second;
  return call_not_found(id);
}

// Acceptance.

Result<CallPtr> Runtime::join(Call& call, const CallRequest& request) const {
  const bool same = call.agent->id == request.agent && call.method == request.method &&
                    call.input.fingerprint() == request.input.fingerprint();
  if (same) return CallPtr(&call);
  Error error(ErrorKind::conflict, "call id " + std::string(call.id.text()) +
                                       " was used before for another request (agent \"" + call.agent->id +
                                       "\", method \"" + call.method + "\"): mint a new id");
  return error.at_call(call.id.text()).at_agent(call.agent->id).at_node(settings_.self.text());
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

Result<void> Runtime::check_lane(const HostedAgent& agent, const CallerPtr& caller, const CallId& id) const {
  if (refused_lanes_.empty() || !caller) return {};
  const auto lane = refused_lanes_.find({&agent, caller.get()});
  if (lane == refused_lanes_.end() || lane->second == id) return {};
  return overloaded("order", "call " + std::string(lane->second.text()) +
                                 " to this agent was refused before: send it again, or release it, first");
}

Result<void> Runtime::check_mailbox(const HostedAgent& agent) const {
  const auto most = agent.settings && agent.settings->options.mailbox ? *agent.settings->options.mailbox
                                                                      : settings_.limits.mailbox;
  // An agent that is still to be made has its making in there.
  const std::size_t own = agent.body || agent.running ? 0 : 1;
  if (agent.mailbox.size() < most + own) return {};
  return overloaded("mailbox", "the mailbox of agent \"" + agent.id + "\" is full: " + std::to_string(most) +
                                   " calls wait for it");
}

Result<void> Runtime::check_bounds(const CallRequest& request, const HostedAgent& agent) const {
  if (auto checked = check_lane(agent, request.caller, request.call); !checked) return checked;
  if (auto checked = check_mailbox(agent); !checked) return checked;
  const Limits& limits = settings_.limits;
  if (unsettled_ >= limits.calls) {
    return overloaded("calls", "this node has " + std::to_string(unsettled_) +
                                   " unsettled calls, which is its limit (limits.calls)");
  }
  if (outcome_bytes_ >= limits.outcomes) {
    return overloaded("outcomes", "the outcome store is full (limits.outcomes = " +
                                      std::to_string(limits.outcomes) + " bytes): release what is read");
  }
  if (request.caller && request.caller->outcome_bytes >= limits.outcomes / 4) {
    return overloaded("caller_outcomes", "caller \"" + request.caller->name +
                                             "\" holds a quarter of the outcome store: release what is read");
  }
  return {};
}

Result<HostedAgent*> Runtime::admit(const CallRequest& request) {
  if (draining_) {
    const std::string here = settings_.self.text() + '/';
    const bool nested = std::any_of(request.path.begin(), request.path.end(),
                                    [&](const std::string& hop) { return hop.starts_with(here); });
    if (!nested || closed_) {
      return Error(ErrorKind::shutting_down, "this node is draining and takes no new calls: try another one");
    }
  }
  const auto agent = find_agent(request.agent);
  if (!agent) return agent.error();
  if (!(*agent)->type->methods.contains(request.method)) {
    std::string known;
    for (const auto& [name, method] : (*agent)->type->methods) known += (known.empty() ? "" : ", ") + name;
    Error error(ErrorKind::invalid_params, "agent \"" + (*agent)->id + "\" has no method \"" +
                                               std::string(request.method) + "\"; it has " + known);
    return error.at_agent((*agent)->id);
  }
  if (auto checked = check_path(request); !checked) return checked.error();
  if (auto checked = check_input(request); !checked) return checked.error();
  if (auto checked = check_bounds(request, **agent); !checked) return checked.error();
  return *agent;
}

Result<CallPtr> Runtime::accept(CallRequest& request) {
  if (const auto there = calls_.find(request.call); there != calls_.end()) {
    return join(*there->second, request);
  }
  if (tombstones_.has(request.call, loop_.now())) return call_not_found(request.call);
  const auto agent = admit(request);
  if (!agent) {
    ++counters_.refused;
    Error error = agent.error();
    if (error.node().empty()) error.at_node(settings_.self.text());
    return error.at_call(request.call.text());
  }
  const CallPtr call = open(request, **agent);
  // Only a call that somebody waits for already can close a circle by coming; where a method begins to
  // wait for a nested one, `note_wait` looks.
  if (!call->dependents.empty() && !call->is_settled()) {
    fail_in_circle(*call, "this call waits, through others, for itself");
  }
  return call;
}

void Runtime::fail_in_circle(Call& call, std::string_view message) {
  const auto circle = circle_of(call, [this](const CallId& id) -> const Call* {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : found->second.get();
  });
  if (circle.empty()) return;
  Json path = Json::array();
  for (const Call* on : circle) path.push_back(AgentAddress{settings_.self, on->agent->id}.text());
  path.push_back(path.front());
  Error error(ErrorKind::cycle, std::string(message));
  settle_failed(call, located(error.with("path", std::move(path)), call));
}

CallPtr Runtime::open(CallRequest& request, HostedAgent& agent) {
  forget_refusal(request.call);
  CallPtr call(new Call);
  call->id = request.call;
  call->agent = &agent;
  call->caller = std::move(request.caller);
  call->method = request.method;
  call->input = std::move(request.input);
  call->path = std::move(request.path);
  call->origin = request.origin;
  call->seq = next_seq_++;
  call->accepted = loop_.wall_now();
  const auto agents_default = agent.settings ? agent.settings->options.deadline : std::nullopt;
  call->state = call->input.open() > 0 ? CallState::waiting : CallState::queued;
  if (call->state == CallState::queued) call->ready = call->accepted;
  start_deadline(*call,
                 loop_.now() + request.deadline.value_or(agents_default.value_or(settings_.limits.deadline)));

  calls_.emplace(call->id, call);
  call->previous = last_call_;
  (last_call_ ? last_call_->next : first_call_) = call.get();
  last_call_ = call.get();
  ++unsettled_;
  ++counters_.accepted;
  ++agent.calls;
  agent.mailbox.add(*call, agent.keeps_order());
  adopt_expected(*call);
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

void Runtime::refuse(const CallRequest& request, const Error& why, bool remember) {
  const auto agent = find_agent(request.agent);
  const bool blocks = why.kind() == ErrorKind::overloaded && request.caller && agent;
  if (remember) expected_fails(request.call, why);
  if (calls_.contains(request.call) || (!remember && !blocks)) return;
  constexpr std::size_t most = 100'000;
  if (refusals_.size() >= most) return;
  auto& refusal = refusals_[request.call];
  if (!refusal) refusal = std::make_unique<Refusal>();
  refusal->runtime = this;
  refusal->id = request.call;
  refusal->why = why;
  refusal->answers = remember;
  refusal->timer.owner = refusal.get();
  auto ttl = settings_.limits.refusal_ttl;
  if (blocks) {
    refusal->agent = *agent;
    refusal->caller = request.caller;
    refused_lanes_.emplace(LaneKey(*agent, request.caller.get()), request.call);
    ttl = std::max(ttl, request.deadline.value_or(settings_.limits.deadline));
  }
  loop_.start(refusal->timer, Clock::now() + ttl, [](async::Timer& timer) {
    Refusal& old = *static_cast<Refusal::Expiry&>(timer).owner;
    old.runtime->forget_refusal(CallId(old.id));
  });
}

void Runtime::forget_refusal(const CallId& id) {
  if (refusals_.empty()) return;
  const auto found = refusals_.find(id);
  if (found == refusals_.end()) return;
  if (found->second->agent) {
    const auto lane = refused_lanes_.find({found->second->agent.get(), found->second->caller.get()});
    if (lane != refused_lanes_.end() && lane->second == id) refused_lanes_.erase(lane);
  }
  refusals_.erase(found);
}

// Ids that somebody waits for before they come.

void Runtime::expect(const CallId& id, std::chrono::milliseconds grace, Expected::Waiting waiting) {
  if (expected_.size() >= settings_.limits.expected && !expected_.contains(id)) {
    // Told at the turn's end, as everything is.
    const Error why = overloaded("expected", "too many calls that are not known here are waited for");
    return loop_.at_turn_end([gate = gate_, id, why, waiting = std::move(waiting)] {
      gate->enter([&](Runtime& runtime) { runtime.tell_unknown({waiting}, id, why); });
    });
  }
  auto& expected = expected_[id];
  if (!expected) {
    expected = std::make_unique<Expected>();
    expected->runtime = this;
    expected->id = id;
    expected->timer.owner = expected.get();
  }
  waiting.until = Clock::now() + grace;
  wait_until(*expected, waiting.until);
  if (waiting.watcher) {
    // Who asks again waits longer, and is told once.
    const auto same = std::find_if(expected->waiting.begin(), expected->waiting.end(),
                                   [&](const auto& one) { return one.watcher == waiting.watcher; });
    if (same != expected->waiting.end()) {
      same->until = std::max(same->until, waiting.until);
      return;
    }
  }
  expected->waiting.push_back(std::move(waiting));
}

void Runtime::stop_waiting(const CallId& id, const Watcher& watcher) {
  const auto found = expected_.find(id);
  if (found == expected_.end()) return;
  std::erase_if(found->second->waiting, [&](const auto& one) { return one.watcher.get() == &watcher; });
}

void Runtime::wait_until(Expected& expected, Clock::time_point until) {
  if (expected.timer.pending() && expected.until <= until) return;
  expected.until = until;
  loop_.start(expected.timer, until, [](async::Timer& timer) {
    Expected& late = *static_cast<Expected::Expiry&>(timer).owner;
    late.runtime->expected_late(CallId(late.id));
  });
}

void Runtime::expected_late(const CallId& id) {
  const auto found = expected_.find(id);
  if (found == expected_.end()) return;
  auto& waiting = found->second->waiting;
  const auto due = std::stable_partition(waiting.begin(), waiting.end(),
                                         [now = Clock::now()](const auto& one) { return one.until > now; });
  const std::vector<Expected::Waiting> late(std::make_move_iterator(due),
                                            std::make_move_iterator(waiting.end()));
  waiting.erase(due, waiting.end());
  if (waiting.empty()) {
    expected_.erase(found);
  } else {
    const auto next = std::min_element(waiting.begin(), waiting.end(),
                                       [](const auto& a, const auto& b) { return a.until < b.until; });
    wait_until(*found->second, next->until);
  }
  tell_unknown(late, id, call_not_found(id));
}

void Runtime::adopt_expected(Call& call) {
  if (expected_.empty()) return;
  const auto found = expected_.find(call.id);
  if (found == expected_.end()) return;
  const std::unique_ptr<Expected> expected = std::move(found->second);
  expected_.erase(found);
  for (auto& one : expected->waiting) {
    if (one.watcher) {
      call.watches.push_back({std::move(one.watcher)});
    } else {
      call.dependents.push_back(std::move(one.dependent));
    }
  }
}

void Runtime::expected_fails(const CallId& id, const Error& why) {
  const auto found = expected_.find(id);
  if (found == expected_.end()) return;
  const std::unique_ptr<Expected> expected = std::move(found->second);
  expected_.erase(found);
  tell_unknown(expected->waiting, id, why);
}

void Runtime::tell_unknown(const std::vector<Expected::Waiting>& waiting, const CallId& id,
                           const Error& why) {
  for (const auto& one : waiting) {
    if (one.watcher) {
      one.watcher->unknown(id, why);
    } else {
      input_settled(one.dependent.call, one.dependent.slot, why);
    }
  }
}

// Inputs.

void Runtime::resolve_inputs(const CallPtr& call) {
  for (std::size_t slot = 0; slot < call->input.slots() && !call->is_settled(); ++slot) {
    const CallInput::Source& source = call->input.source(slot);
    const bool here = source.placeholder && is_self(source.placeholder->node);
    // A nested call that was refused is not known by its id, but its message knows why.
    if (here && (!source.cell || calls_.contains(source.placeholder->call))) {
      resolve_local(call, slot, source.placeholder->call);
    } else if (source.cell) {
      resolve_cell(call, slot, source.cell);
    } else {
      resolve_foreign(call, slot, *source.placeholder);
    }
  }
}

void Runtime::resolve_local(const CallPtr& call, std::size_t slot, const CallId& id) {
  if (const auto found = calls_.find(id); found != calls_.end()) {
    Call& input = *found->second;
    if (!input.is_settled()) {
      input.dependents.push_back({call, slot});
    } else {
      // Told by the pump, so that a long chain of settled calls costs no stack.
      resolutions_.push_back({call, slot, &input});
      schedule_pump();
    }
    return;
  }
  if (const auto refusal = refusals_.find(id); refusal != refusals_.end() && refusal->second->answers) {
    return input_settled(call, slot, refusal->second->why);
  }
  if (tombstones_.has(id, loop_.now())) return input_settled(call, slot, call_not_found(id));
  expect(id, settings_.limits.grace, {{}, {call, slot}, {}});
}

void Runtime::resolve_foreign(const CallPtr& call, std::size_t slot, const Placeholder& placeholder) {
  if (!foreign_) {
    return input_settled(call, slot, Error(ErrorKind::peer_refused, "this node dials no other nodes"));
  }
  foreign_->watch(placeholder, call->deadline, [gate = gate_, call, slot](Outcome outcome) {
    gate->enter([&](Runtime& runtime) { runtime.input_settled(call, slot, std::move(outcome)); });
  });
}

void Runtime::resolve_cell(const CallPtr& call, std::size_t slot, const std::shared_ptr<detail::Cell>& cell) {
  // References to calls are counted on the loop only, so what crosses threads is the id.
  cell->when_readable([gate = gate_, id = call->id, slot, weak = std::weak_ptr<detail::Cell>(cell)] {
    const auto settled = weak.lock();
    if (!settled) return;
    gate->post([id, slot, settled](Runtime& runtime) {
      const auto found = runtime.find_call(id);
      if (!found) return;
      try {
        runtime.input_settled(*found, slot, settled->read());
      } catch (const Error& error) {
        runtime.input_settled(*found, slot, error);
      }
    });
  });
}

void Runtime::input_settled(const CallPtr& call, std::size_t slot, Outcome outcome) {
  if (call->state != CallState::waiting) return;
  if (!outcome) {
    Error error(ErrorKind::input_failed, "an input of this call failed: " + outcome.error().root().message());
    error.because(outcome.error());
    return settle_failed(*call, located(std::move(error), *call));
  }
  call->input.fill(slot, *std::move(outcome));
  if (call->input.open() > 0) return;
  call->state = CallState::queued;
  call->ready = loop_.wall_now();
  call->agent->mailbox.inputs_there(*call);
  schedule(*call->agent);
}

// Calls from inside the program.

void Runtime::call_nested(NestedCall nested) {
  if (!is_self(nested.agent.node)) {
    if (!foreign_) {
      nested.cell->fail(Error(ErrorKind::peer_refused, "this node dials no other nodes"));
      return;
    }
    ForeignCall call{nested.agent,    nested.method, nested.call, nested.input,
                     nested.deadline, nested.caller, nested.path};
    foreign_->call(
        std::move(call),
        [cell = nested.cell](Outcome outcome) {
          if (outcome) {
            cell->settle(*std::move(outcome));
          } else {
            cell->fail(outcome.error());
          }
        },
        [cell = nested.cell](std::string_view value) { cell->progress(Json::parse(value)); });
    return;
  }
  CallRequest request;
  request.agent = nested.agent.agent;
  request.method = nested.method;
  request.call = nested.call;
  request.input = CallInput(nested.input);
  request.deadline = std::chrono::duration_cast<std::chrono::milliseconds>(nested.deadline - Clock::now());
  request.caller = caller(nested.caller);
  request.path = std::move(nested.path);
  const auto call = accept(request);
  if (!call) {
    nested.cell->fail(call.error());
    return;
  }
  watch(**call, std::make_shared<CellWatcher>(nested.cell, nested.input), protocol::SettledMode::value);
}

void Runtime::cancel_nested(const Placeholder& placeholder) {
  if (is_self(placeholder.node)) {
    if (const auto call = find_call(placeholder.call)) cancel(**call);
  } else if (foreign_) {
    foreign_->cancel(placeholder);
  }
}

void Runtime::release_nested(const Placeholder& placeholder) {
  if (is_self(placeholder.node)) {
    release(placeholder.call);
  } else if (foreign_) {
    foreign_->release(placeholder);
  }
}

void Runtime::note_wait(const CallId& id, const CallId& other) {
  const auto call = find_call(id);
  if (!call || (*call)->state != CallState::running) return;
  (*call)->awaits = other;
  const auto awaited = find_call(other);
  if (!awaited || (*awaited)->is_settled()) return;
  fail_in_circle(**awaited, "this call waits, through others, for the call that made it");
}

}  // namespace agentd::runtime
