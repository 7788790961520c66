// How calls run.

#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

/// How many calls one turn starts, finishes or tells of at most, so that sockets and timers get their share.
constexpr std::size_t steps_per_turn = 2000;
/// Assembling so many bytes takes about as long as a step.
constexpr std::size_t bytes_of_a_step = 16U << 10;

/// How much of what an agent threw is kept: a chain of causes must still fit into a frame.
constexpr std::size_t longest_text = 16U << 10;

std::string cut(std::string_view text) {
  if (text.size() <= longest_text) return std::string(text);
  std::size_t end = longest_text;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "... (" + std::to_string(text.size()) + " bytes)";
}

template <typename T>
T take_first(std::deque<T>& queue) {
  T first = std::move(queue.front());
  queue.pop_front();
  return first;
}

template <typename Work>
Result<Message> outcome_of_method(Work work) {
  try {
    return work();
  } catch (const Error& error) {
    Error failed(ErrorKind::agent_failed, cut(error.message()));
    if (error.message().size() <= longest_text) failed.because(error);
    // Of a message that the agent could not even make: it is an outcome that passes the limit all the same.
    const bool own = error.kind() == ErrorKind::invalid_params && error.agent().empty();
    if (own && error.details().contains("limit")) failed.with("limit", error.details()["limit"]);
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
  // Until it is through: what comes up meanwhile needs no other go at this turn's end.
  pump_scheduled_ = true;
  std::size_t steps = 0;
  while (has_work()) {
    if (steps >= steps_per_turn) {
      // The rest goes on after the sockets had their turn.
      gate_->post([](Runtime& runtime) { runtime.pump(); });
      return;
    }
    // One of each: no queue, however fast it grows, keeps another from its turn.
    if (!finished_.empty()) {
      ++steps;
      Finished item = take_first(finished_);
      finished(item.call, item.result);
    }
    if (!resolutions_.empty()) {
      ++steps;
      resolve_next();
    }
    if (!tellings_.empty()) {
      ++steps;
      const Telling item = take_first(tellings_);
      --item.watch.watcher->untold;
      --tally_.tellings;
      item.watch.watcher->settled(*item.call, item.watch.mode);
    }
    if (!scheduled_.empty()) {
      const AgentPtr agent = take_first(scheduled_);
      agent->scheduled = false;
      steps += 1 + start_next(*agent) / bytes_of_a_step;
    }
  }
  pump_scheduled_ = false;
}

void Runtime::resolve_next() {
  Resolution& first = resolutions_.front();
  const CallPtr input = first.input;
  const Call::Dependent dependent = std::move(first.dependents[first.told++]);
  if (first.told == first.dependents.size()) resolutions_.pop_front();
  input_settled(dependent.call, dependent.slot, outcome_of(*input));
}

std::size_t Runtime::start_next(HostedAgent& agent) {
  if (agent.running) return 0;
  if (failing_) return fail_next(agent);
  CallPtr call = agent.mailbox.take_next();
  if (!call) return 0;
  agent.running = call;
  const std::size_t assembled = call->input.slots() > 0 ? call->input.assembled_bytes() : 0;
  run(call);
  if (!agent.running) schedule(agent);
  return assembled;
}

std::size_t Runtime::fail_next(HostedAgent& agent) {
  if (const CallPtr call{agent.mailbox.next()}) settle_failed(*call, located(shutting_down(), *call));
  return 0;
}

void Runtime::run(const CallPtr& call) {
  call->state = CallState::running;
  if (call->kind != Call::Kind::call) return run_step(call);
  ++tally_.running;
  ++tally_.running_unsettled;
  call->started = loop_.wall_now();
  run_method(call);
}

Result<void> Runtime::reserve_input(Call& call) {
  if (call.input.slots() == 0) return {};
  const std::uint64_t size = call.input.assembled_bytes();
  // One alone may always run.
  const std::uint64_t there = tally_.assembled_bytes + others().assembled_bytes;
  if (there > 0 && there + size > settings_.limits.running_inputs) {
    return overloaded("running_inputs",
                      "the inputs of the calls that run here have " + std::to_string(there) +
                          " bytes, which leaves no room for " + std::to_string(size) +
                          " more (limits.running_inputs): call again, with a new id, later");
  }
  call.assembled_bytes = size;
  tally_.assembled_bytes += size;
  return {};
}

void Runtime::run_method(const CallPtr& call) {
  HostedAgent& agent = *call->agent;
  if (const auto reserved = reserve_input(*call); !reserved) {
    settle_failed(*call, located(reserved.error(), *call));
    return agent_idle(call);
  }
  const auto& method = call->method->second;
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
  workers_->submit([gate = gate_, id = call.get(), &function, body = agent.body.get(),
                    context = call->running, input = std::move(input)]() mutable {
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
  workers_->submit([gate = gate_, id = call.get(), step = std::move(step)] {
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
    if (agent.settings && !agent.settings->options.state.empty()) {
      HostedAgent::Settings settings = *agent.settings;
      settings.options.state.clear();
      agent.settings = shared_settings(std::move(settings));
    }
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
    --tally_.running;
    tally_.assembled_bytes -= call->assembled_bytes;
  }
  if (agent.deleted) {
    gone(agent);
  } else {
    schedule(agent);
  }
}

}  // namespace agentd::runtime
