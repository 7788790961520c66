// Where the inputs of calls come from.

#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

/// Those that have settled meanwhile, by their deadlines, go before more room is taken.
void add_dependent(std::vector<Call::Dependent>& dependents, Call::Dependent dependent) {
  if (dependents.size() == dependents.capacity()) {
    std::erase_if(dependents, [](const Call::Dependent& one) { return one.call->is_settled(); });
    if (2 * dependents.size() > dependents.capacity()) dependents.reserve(2 * dependents.capacity());
  }
  dependents.push_back(std::move(dependent));
}

}  // namespace

void Runtime::resolve_inputs(const CallPtr& call) {
  for (std::size_t slot = 0; slot < call->input.slots() && !call->is_settled(); ++slot) {
    const CallInput::Source& source = call->input.source(slot);
    const bool here = source.placeholder && is_self(source.placeholder->node);
    // A nested call that was refused is not known by its id, but its message knows why.
    if (here && !source.cell && !is_here(source.placeholder->call)) {
      resolve_sibling(call, slot, source.placeholder->call);
    } else if (here && (!source.cell || calls_.contains(source.placeholder->call))) {
      resolve_local(call, slot, source.placeholder->call);
    } else if (source.cell) {
      resolve_cell(call, slot, source.cell);
    } else {
      resolve_foreign(call, slot, *source.placeholder);
    }
  }
}

void Runtime::resolve_local(const CallPtr& call, std::size_t slot, const CallId& id) {
  if (Call* const found = calls_.find(id)) {
    Call& input = *found;
    if (!input.is_settled()) {
      add_dependent(input.dependents, {call, slot});
    } else {
      // Told by the pump, so that a long chain of settled calls costs no stack.
      resolutions_.push_back({CallPtr(&input), {{call, slot}}});
      schedule_pump();
    }
    return;
  }
  if (const auto refusal = refusals_.find(id); refusal != refusals_.end() && refusal->second->answers) {
    return input_settled(call, slot, refusal->second->why);
  }
  if (tombstones_.has(id, loop_.now())) return input_settled(call, slot, call_not_found(id));
  expect(id, {call, slot});
}

void Runtime::resolve_foreign(const CallPtr& call, std::size_t slot, const Placeholder& placeholder) {
  if (!foreign_) {
    return input_settled(call, slot, Error(ErrorKind::peer_refused, "this node dials no other nodes"));
  }
  // Not the call itself, which holds the interest.
  auto told = [gate = gate_, id = call->id, seq = call->seq, slot](Outcome outcome) {
    gate->enter([&](Runtime& runtime) { runtime.input_came(id, seq, slot, std::move(outcome)); });
  };
  call->input.ask(slot, foreign_->watch(placeholder, call->deadline, std::move(told)));
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
  if (failing_) return settle_failed(*call, located(shutting_down(), *call));
  if (!outcome) {
    Error error(ErrorKind::input_failed, "an input of this call failed: " + outcome.error().root().message());
    error.because(outcome.error());
    return settle_failed(*call, located(std::move(error), *call));
  }
  call->input.fill(slot, *std::move(outcome));
  // Before anything is put together; what has come so far is shared with whoever else holds it.
  if (const auto size = call->input.assembled_bytes(); size > settings_.limits.input) {
    Error error(ErrorKind::invalid_params,
                "the input of this call has " + std::to_string(size) +
                    " bytes with its placeholders filled in, or more; the limit is " +
                    std::to_string(settings_.limits.input) + " (limits.input)");
    return settle_failed(*call, located(error.with("limit", "input"), *call));
  }
  ready_if_complete(call);
}

void Runtime::input_came(const CallId& id, std::uint64_t seq, std::size_t slot, Outcome outcome) {
  Call* const found = calls_.find(id);
  if (found && found->seq == seq) input_settled(CallPtr(found), slot, std::move(outcome));
}

void Runtime::ready_if_complete(const CallPtr& call) {
  if (call->input.open() > 0 || call->unclaimed) return;
  call->state = CallState::queued;
  call->ready = loop_.wall_now();
  call->agent->mailbox.inputs_there(*call);
  schedule(*call->agent);
}

}  // namespace agentd::runtime
