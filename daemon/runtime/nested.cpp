// Calls that come from inside the program: its agents' nested ones, and its own.

#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

/// A piece with a number that no double holds is let pass: there is no `Json` for it.
void pass_on(detail::Cell& cell, std::string_view piece) {
  const Json opened = Json::parse(piece, nullptr, false);
  if (!opened.is_discarded()) cell.progress(opened);
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
  void progressed(const Call&, std::uint64_t, std::string_view value) override { pass_on(*cell_, value); }
  void unknown(const CallId&, const Error& why) override { cell_->fail(why); }

private:
  std::shared_ptr<detail::Cell> cell_;
  /// What the call was given stays wanted until it has settled.
  Message input_;
};

}  // namespace

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
        [cell = nested.cell](std::string_view value) { pass_on(*cell, value); });
    return;
  }
  if (!is_here(nested.agent.agent)) {
    const std::size_t there = settings_.shards->of_agent(nested.agent.agent);
    return settings_.shards->at(
        settings_.shard, there,
        [nested = std::move(nested)](Runtime& runtime) mutable { runtime.call_nested(std::move(nested)); });
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
    at_shard_of(placeholder.call, [id = placeholder.call](Runtime& runtime) {
      if (const auto call = runtime.find_call(id)) runtime.cancel(**call);
    });
  } else if (foreign_) {
    foreign_->cancel(placeholder);
  }
}

void Runtime::release_nested(const Placeholder& placeholder) {
  if (is_self(placeholder.node)) {
    at_shard_of(placeholder.call, [id = placeholder.call](Runtime& runtime) { runtime.release(id); });
  } else if (foreign_) {
    foreign_->release(placeholder);
  }
}

void Runtime::note_wait(const CallId& id, const CallId& other) {
  const auto call = find_call(id);
  if (!call || (*call)->state != CallState::running) return;
  (*call)->awaits = other;
  if (!is_here(other)) {
    return at_shard_of(other, [other](Runtime& there) { there.look_for_circle(other); });
  }
  const auto awaited = find_call(other);
  if (!awaited || (*awaited)->is_settled()) return;
  fail_in_circle(**awaited, "this call waits, through others, for the call that made it");
}

}  // namespace agentd::runtime
