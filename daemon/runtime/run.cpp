// How calls run, and how they settle.

#include <algorithm>
#include <utility>

#include "common/json/text.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

/// How many calls one turn starts at most, so that sockets and timers get their share.
constexpr std::size_t starts_per_turn = 2000;
/// Assembling so many bytes takes about as long as a start.
constexpr std::size_t bytes_of_a_start = 16U << 10;

/// What an envelope adds to a content at most, beside the names in it.
constexpr std::size_t envelope_size = 512;

/// How much of what an agent threw is kept: a chain of causes must still fit into a frame.
constexpr std::size_t longest_text = 16U << 10;

std::string cut(std::string_view text) {
  if (text.size() <= longest_text) return std::string(text);
  std::size_t end = longest_text;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "... (" + std::to_string(text.size()) + " bytes)";
}

template <typename Work>
Result<Message> outcome_of_method(Work work) {
  try {
    return work();
  } catch (const Error& error) {
    Error failed(ErrorKind::agent_failed, cut(error.message()));
    if (error.message().size() <= longest_text) failed.because(error);
    return failed;
  } catch (const std::exception& error) {
    return Error(ErrorKind::agent_failed, cut(error.what()));
  } catch (...) {
    return Error(ErrorKind::agent_failed, "the agent threw something that is no std::exception");
  }
}

MethodFrame run_coroutine(Runtime& runtime, CallPtr call, const AgentType::AsyncMethod& method, Agent& agent,
                          Message input) {
  Result<Message> result = Message();
  try {
    // Within the try: what makes the coroutine may throw as well as the coroutine.
    Task<Message> task = method(agent, std::move(input));
    result = co_await task;
  } catch (...) {
    result =
        outcome_of_method([error = std::current_exception()]() -> Message { std::rethrow_exception(error); });
  }
  runtime.finish(call, std::move(result));
}

}  // namespace

void Runtime::schedule(HostedAgent& agent) {
  if (agent.scheduled || agent.running || !agent.mailbox.has_eligible()) return;
  agent.scheduled = true;
  scheduled_.emplace_back(&agent);
  schedule_pump();
}

void Runtime::schedule_pump() {
  if (std::exchange(pump_scheduled_, true)) return;
  loop_.at_turn_end([gate = gate_] { gate->enter([](Runtime& runtime) { runtime.pump(); }); });
}

void Runtime::pump() {
  pump_scheduled_ = false;
  std::size_t started = 0;
  while (!scheduled_.empty() || !resolutions_.empty() || !finished_.empty() || !tellings_.empty()) {
    while (!finished_.empty()) {
      Finished item = std::move(finished_.front());
      finished_.pop_front();
      finished(item.call, item.result);
    }
    while (!resolutions_.empty()) {
      const Resolution item = std::move(resolutions_.front());
      resolutions_.pop_front();
      input_settled(item.call, item.slot, outcome_of(*item.input));
    }
    while (!tellings_.empty()) {
      const Telling item = std::move(tellings_.front());
      tellings_.pop_front();
      item.watch.watcher->settled(*item.call, item.watch.mode);
    }
    if (scheduled_.empty()) continue;
    if (started >= starts_per_turn) {
      // The rest goes on after the sockets had their turn.
      pump_scheduled_ = true;
      gate_->post([](Runtime& runtime) { runtime.pump(); });
      return;
    }
    const AgentPtr agent = std::move(scheduled_.front());
    scheduled_.pop_front();
    agent->scheduled = false;
    started += 1 + start_next(*agent) / bytes_of_a_start;
  }
}

std::size_t Runtime::start_next(HostedAgent& agent) {
  if (agent.running) return 0;
  CallPtr call = agent.mailbox.take_next();
  if (!call) return 0;
  agent.running = call;
  const std::size_t assembled = call->input.slots() > 0 ? call->input.assembled_bytes() : 0;
  run(call);
  if (!agent.running) schedule(agent);
  return assembled;
}

void Runtime::run(const CallPtr& call) {
  call->state = CallState::running;
  if (call->kind != Call::Kind::call) return run_step(call);
  ++running_;
  ++running_unsettled_;
  call->started = loop_.wall_now();
  run_method(call);
}

Result<void> Runtime::reserve_input(Call& call) {
  if (call.input.slots() == 0) return {};
  const std::uint64_t size = call.input.assembled_bytes();
  // One alone may always run.
  if (assembled_bytes_ > 0 && assembled_bytes_ + size > settings_.limits.running_inputs) {
    return overloaded("running_inputs",
                      "the inputs of the calls that run here have " + std::to_string(assembled_bytes_) +
                          " bytes, which leaves no room for " + std::to_string(size) +
                          " more (limits.running_inputs): call again, with a new id, later");
  }
  call.assembled_bytes = size;
  assembled_bytes_ += size;
  return {};
}

void Runtime::run_method(const CallPtr& call) {
  HostedAgent& agent = *call->agent;
  if (const auto reserved = reserve_input(*call); !reserved) {
    settle_failed(*call, located(reserved.error(), *call));
    return agent_idle(call);
  }
  const auto& method = agent.type->methods.find(call->method)->second;
  call->running = std::make_shared<RunContext>(gate_, *call);
  Message input = call->input.assemble();
  if (const auto* coroutine = std::get_if<AgentType::AsyncMethod>(&method)) {
    call->running->drive(run_coroutine(*this, call, *coroutine, *agent.body, std::move(input)));
    return;
  }
  const auto& function = std::get<AgentType::Method>(method);
  if (agent.type->execution == Execution::loop) {
    Result<Message> result = Message();
    {
      const detail::ContextScope scope(call->running.get());
      result = outcome_of_method([&] { return function(*agent.body, input); });
    }
    // Outside the scope: what others do on being told is not this method's doing.
    return finished(call, result);
  }
  // What crosses to the worker holds no reference that is counted on the loop only: the runtime keeps
  // the call and its agent until the worker is back.
  workers_.submit([gate = gate_, id = call.get(), &function, body = agent.body.get(), context = call->running,
                   input = std::move(input)]() mutable {
    Result<Message> result = Message();
    {
      const detail::ContextScope scope(context.get());
      result = outcome_of_method([&] { return function(*body, input); });
    }
    input = Message();
    gate->post([id, result = std::move(result)](Runtime& runtime) mutable {
      runtime.finish(CallPtr(id), std::move(result));
    });
  });
}

void Runtime::run_step(const CallPtr& call) {
  HostedAgent& agent = *call->agent;
  // A copy that has its turn is waited for; what is made has until its deadline.
  if (call->kind == Call::Kind::save) call->timer.cancel();
  // The step works on what it is given and hands back what it made: the agent is touched on the loop.
  auto step = [type = agent.type, body = agent.body.get(), kind = call->kind,
               args = std::string(agent.args()),
               state = agent.settings ? agent.settings->options.state : std::string()] {
    auto result = std::make_shared<StepResult>();
    if (kind == Call::Kind::save) {
      result->state = saved_state(*body);
    } else {
      auto made = made_agent(*type, args, state);
      if (made) {
        result->made = *std::move(made);
      } else {
        result->state = made.error();
      }
    }
    return result;
  };
  if (agent.type->execution == Execution::loop) return step_finished(call, *step());
  workers_.submit([gate = gate_, id = call.get(), step = std::move(step)] {
    gate->post([id, result = step()](Runtime& runtime) { runtime.step_finished(CallPtr(id), *result); });
  });
}

void Runtime::step_finished(const CallPtr& call, StepResult& result) {
  HostedAgent& agent = *call->agent;
  agent.running.reset();
  call->state = CallState::done;
  call->timer.cancel();
  if (call->kind == Call::Kind::construct) {
    agent.body = std::move(result.made);
    // It has been restored from, or will never be.
    if (agent.settings) agent.settings->options.state.clear();
  }
  if (agent.deleted) gone(agent);
  if (call->done) call->done(std::move(result.state));
  if (!agent.deleted) schedule(agent);
}

void Runtime::finish(const CallPtr& call, Result<Message> result) {
  finished_.push_back({call, std::move(result)});
  schedule_pump();
}

void Runtime::finished(const CallPtr& call, Result<Message>& result) {
  if (result && !result->ready()) {
    // The method answered with a message that has not settled: the call settles with it, and the agent
    // is busy until then. It keeps the call, so a plain pointer crosses the threads.
    call->running->returns(*result);
    return result->cell()->when_readable([gate = gate_, id = call.get()] {
      gate->post([id](Runtime& runtime) { runtime.finish(CallPtr(id), id->running->returned()); });
    });
  }
  // The method is over, so a failure ends nothing that it waits for: what it called goes on.
  call->running.reset();
  if (result) {
    settle_with(call, *result);
  } else if (!call->is_settled()) {
    settle_failed(*call, located(result.error(), *call));
  }
  agent_idle(call);
}

void Runtime::agent_idle(const CallPtr& call) {
  HostedAgent& agent = *call->agent;
  if (agent.running == call) {
    agent.running.reset();
    --running_;
    assembled_bytes_ -= call->assembled_bytes;
  }
  if (agent.deleted) {
    gone(agent);
  } else {
    schedule(agent);
  }
}

void Runtime::settle_with(const CallPtr& call, const Message& message) {
  if (call->is_settled()) return;
  if (const Error* error = message.error()) {
    Error failed(ErrorKind::agent_failed, error->message());
    return settle_failed(*call, located(failed.because(*error), *call));
  }
  detail::SharedText content;
  detail::SharedText metadata;
  if (!message.empty()) {
    const detail::MessageData& data = message.cell()->read();
    content = data.content;
    metadata = data.metadata;
  }
  const std::size_t size =
      (content ? content->size() : 4) + (metadata ? metadata->size() : 0) + envelope_size;
  if (size > settings_.limits.outcome_size) {
    Error error(ErrorKind::agent_failed, "the outcome has " + std::to_string(size) +
                                             " bytes with its envelope; the limit is " +
                                             std::to_string(settings_.limits.outcome_size));
    return settle_failed(*call, located(error.with("limit", "outcome_size"), *call));
  }
  // A text shorter than that cannot be nested too deep.
  constexpr std::size_t shallow = 2 * json::max_content_depth;
  if (content && content->size() > shallow && json::depth_of(*content) > json::max_content_depth) {
    Error error(ErrorKind::agent_failed,
                "the outcome is nested deeper than " + std::to_string(json::max_content_depth));
    return settle_failed(*call, located(error.with("limit", "depth"), *call));
  }
  settle_done(*call, std::move(content), std::move(metadata));
}

void Runtime::settle_done(Call& call, detail::SharedText content, detail::SharedText metadata) {
  call.content = std::move(content);
  call.metadata = std::move(metadata);
  ++counters_.done;
  settle(call, CallState::done);
}

void Runtime::settle_failed(Call& call, Error error, CallState state) {
  if (call.kind != Call::Kind::call) {
    // A step is held by its mailbox alone.
    const CallPtr keep(&call);
    call.state = CallState::failed;
    call.agent->mailbox.remove(call);
    schedule(*call.agent);
    call.timer.cancel();
    if (call.done) call.done(error);
    return;
  }
  call.error = std::make_shared<const Error>(std::move(error));
  ++(state == CallState::cancelled ? counters_.cancelled : counters_.failed);
  settle(call, state);
}

void Runtime::settle(Call& call, CallState state) {
  const CallPtr keep(&call);
  const bool was_waiting = call.state == CallState::waiting || call.state == CallState::queued;
  call.state = state;
  // The method may have taken long.
  (void)loop_.look_at_clock();
  call.settled = loop_.wall_now();
  --unsettled_;
  if (was_waiting) {
    HostedAgent& agent = *call.agent;
    agent.mailbox.remove(call);
    schedule(agent);
  } else {
    --running_unsettled_;
    if (call.running && state != CallState::done) call.running->cancel();
  }
  call.stored_bytes = sizeof(Call) + call.input.bytes() + (call.content ? call.content->size() : 0);
  outcome_bytes_ += call.stored_bytes;
  if (call.caller) call.caller->outcome_bytes += call.stored_bytes;
  call.input.forget_values();

  while (!call.waiters.empty()) {
    Waiter& first = call.waiters.front();
    call.waiters.pop_front();
    first.settled(call);
  }
  for (const Watch& watch : std::exchange(call.watches, {})) watch.watcher->settled(call, watch.mode);
  for (auto& dependent : std::exchange(call.dependents, {})) {
    resolutions_.push_back({std::move(dependent.call), dependent.slot, keep});
    schedule_pump();
  }
  if (call.release_when_settled) {
    ++counters_.released;
    forget(call, false);
  } else {
    loop_.start(call.timer, loop_.now() + settings_.limits.outcome_ttl, [](async::Timer& timer) {
      auto& expiry = static_cast<Call::Expiry&>(timer);
      expiry.runtime->forget(*expiry.call, true);
    });
  }
}

void Runtime::deadline_passed(Call& call) {
  if (call.kind == Call::Kind::construct) return not_made_in_time(call);
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto age = duration_cast<milliseconds>(loop_.wall_now() - call.accepted);
  std::string text = "the deadline passed while the call was " + std::string(state_name(call.state)) + ", " +
                     std::to_string(age.count()) + " ms after it came";
  settle_failed(call, located(Error(ErrorKind::deadline_exceeded, std::move(text)), call));
}

CallState Runtime::cancel(Call& call) {
  if (!call.is_settled()) {
    settle_failed(call, located(Error(ErrorKind::cancelled, "the call was cancelled"), call),
                  CallState::cancelled);
  }
  return call.state;
}

void Runtime::report_progress(const CallId& id, const std::string& value) {
  const auto found = find_call(id);
  if (!found || (*found)->state != CallState::running) return;
  Call& call = **found;
  const std::uint64_t seq = call.progress_count++;
  for (const Watch& watch : decltype(call.watches)(call.watches)) watch.watcher->progressed(call, seq, value);
}

// Outcomes.

Outcome Runtime::outcome_of(const Call& call) {
  if (call.state == CallState::done) return call.message();
  return *call.error;
}

void Runtime::watch(Call& call, std::shared_ptr<Watcher> watcher, protocol::SettledMode mode) {
  if (!call.is_settled()) {
    // Those who have gone leave before the list grows: there are never more of them than of others.
    if (call.watches.size() == call.watches.capacity()) {
      const auto gone = [](const Watch& watch) { return watch.watcher->gone(); };
      call.watches.erase(std::remove_if(call.watches.begin(), call.watches.end(), gone), call.watches.end());
    }
    call.watches.push_back({std::move(watcher), mode});
    return;
  }
  tellings_.push_back({&call, {std::move(watcher), mode}});
  schedule_pump();
}

void Runtime::watch_id(const CallId& id, std::shared_ptr<Watcher> watcher, std::chrono::milliseconds grace) {
  if (const auto found = calls_.find(id); found != calls_.end()) {
    return watch(*found->second, std::move(watcher), protocol::SettledMode::value);
  }
  const auto refusal = refusals_.find(id);
  const bool refused = refusal != refusals_.end() && refusal->second->answers;
  if (refused || grace.count() == 0 || tombstones_.has(id, loop_.now())) {
    const Error why = refused ? refusal->second->why : call_not_found(id);
    loop_.at_turn_end([watcher = std::move(watcher), id, why] { watcher->unknown(id, why); });
    return;
  }
  expect(id, std::min(grace, settings_.limits.longest_grace), std::move(watcher));
}

bool Runtime::release(const CallId& id) {
  forget_refusal(id, Because::given_up);
  const auto found = calls_.find(id);
  if (found == calls_.end()) return false;
  Call& call = *found->second;
  if (!call.is_settled()) return !std::exchange(call.release_when_settled, true);
  ++counters_.released;
  forget(call, false);
  return true;
}

void Runtime::forget(Call& call, bool expired) {
  const CallPtr keep(&call);
  counters_.expired += expired ? 1 : 0;
  call.timer.cancel();
  outcome_bytes_ -= call.stored_bytes;
  if (call.caller) call.caller->outcome_bytes -= call.stored_bytes;
  calls_in_order_.remove(call);
  tombstones_.add(call.id, loop_.now());
  calls_.erase(call.id);
}

}  // namespace agentd::runtime
