// How calls settle, and what is kept of them until they are forgotten.

#include <algorithm>
#include <utility>

#include "common/json/text.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

/// What an envelope adds to a content at most, beside the names in it.
constexpr std::size_t envelope_size = 512;
/// Within that time who is sent from an id's home to its call has come, unless a loop is held up.
constexpr std::chrono::seconds way_here{1};

std::size_t outcome_size(const Call& call) {
  std::size_t size = (call.content ? call.content->size() : 0) + (call.metadata ? call.metadata->size() : 0);
  for (const Error* error = call.error.get(); error != nullptr; error = error->cause()) {
    size += sizeof(Error) + error->message().size();
  }
  return size;
}

}  // namespace

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
  ++tally_.done;
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
  ++(state == CallState::cancelled ? tally_.cancelled : tally_.failed);
  settle(call, state);
}

void Runtime::settle(Call& call, CallState state) {
  const CallPtr keep(&call);
  const bool was_waiting = call.state == CallState::waiting || call.state == CallState::queued;
  call.state = state;
  // The method may have taken long.
  (void)loop_.look_at_clock();
  call.settled = loop_.wall_now();
  --tally_.unsettled;
  if (was_waiting) {
    HostedAgent& agent = *call.agent;
    agent.mailbox.remove(call);
    schedule(agent);
  } else {
    --tally_.running_unsettled;
    if (call.running && state != CallState::done) call.running->cancel();
  }
  call.stored_bytes = sizeof(Call) + call.input.bytes() + outcome_size(call);
  tally_.outcome_bytes += call.stored_bytes;
  if (call.caller) call.caller->outcome_bytes += call.stored_bytes;
  call.input.forget_values();

  while (!call.waiters.empty()) {
    Waiter& first = call.waiters.front();
    call.waiters.pop_front();
    first.settled(call);
  }
  for (const Watch& watch : std::exchange(call.watches, {})) watch.watcher->settled(call, watch.mode);
  if (!call.dependents.empty()) {
    // However many they are: this takes no longer.
    resolutions_.push_back({keep, std::exchange(call.dependents, {})});
    schedule_pump();
  }
  if (call.release_when_settled) {
    forget_released(call);
  } else {
    forget_at(call, loop_.now() + settings_.limits.outcome_ttl);
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
  ++watcher->untold;
  ++tally_.tellings;
  tellings_.push_back({&call, {std::move(watcher), mode}});
  schedule_pump();
}

bool Runtime::stop_watching(Call& call, const Watcher& watcher) {
  const auto watch = std::find_if(call.watches.begin(), call.watches.end(),
                                  [&](const Watch& one) { return one.watcher.get() == &watcher; });
  if (watch == call.watches.end()) return false;
  call.watches.erase(watch);
  return true;
}

Result<void> Runtime::check_tellings(const Watcher& watcher) const {
  const std::size_t most = settings_.limits.tellings;
  if (tally_.tellings + others().tellings >= most) {
    return overloaded("tellings", "subscribers have asked for " + std::to_string(most) +
                                      " outcomes of settled calls that they have yet to be told of, which "
                                      "is this node's limit: ask again later");
  }
  if (watcher.untold >= share_of(most)) {
    return overloaded(
        "connection_tellings",
        "this connection has asked for " + std::to_string(watcher.untold) +
            " outcomes of settled calls that it has yet to be told of, a quarter of what may wait "
            "on this node: read what comes, and ask again later");
  }
  return {};
}

void Runtime::watch_id(const CallId& id, std::shared_ptr<Watcher> watcher, std::chrono::milliseconds grace) {
  const auto tell = [this, &watcher, &id](const Error& why) {
    loop_.at_turn_end([watcher = std::move(watcher), id, why] { watcher->unknown(id, why); });
  };
  if (Call* const found = calls_.find(id)) {
    if (found->is_settled()) {
      if (const auto room = check_tellings(*watcher); !room) return tell(room.error());
    }
    return watch(*found, std::move(watcher), protocol::SettledMode::value);
  }
  if (const auto claimed = claimed_.find(id); claimed != claimed_.end()) {
    return watcher->moved(id, claimed->second);
  }
  const auto refusal = refusals_.find(id);
  const bool refused = refusal != refusals_.end() && refusal->second->answers;
  if (refused || grace.count() == 0 || tombstones_.has(id, loop_.now())) {
    return tell(refused ? refusal->second->why : call_not_found(id));
  }
  expect(id, std::min(grace, settings_.limits.longest_grace), std::move(watcher));
}

bool Runtime::release(const CallId& id) {
  forget_refusal(id, Because::given_up);
  Call* const found = calls_.find(id);
  if (!found) {
    // What was refused here is remembered there.
    if (is_stray(id)) forget_refusal_at(home_shard(id), id, Because::given_up);
    return false;
  }
  Call& call = *found;
  if (std::exchange(call.release_when_settled, true)) return false;
  if (call.is_settled()) forget_released(call);
  return true;
}

void Runtime::forget_released(Call& call) {
  ++tally_.released;
  if (!call.awaited_at_home) return forget(call, false);
  forget_at(call, loop_.now() + way_here);
}

void Runtime::forget_at(Call& call, Clock::time_point when) {
  loop_.start(call.timer, when, [](async::Timer& timer) {
    auto& expiry = static_cast<Call::Expiry&>(timer);
    expiry.runtime->forget(*expiry.call, !expiry.call->release_when_settled);
  });
}

void Runtime::forget(Call& call, bool expired) {
  tally_.expired += expired ? 1 : 0;
  tombstones_.add(call.id, loop_.now());
  if (call.stray) {
    settings_.shards->at(settings_.shard, home_shard(call.id),
                         [id = call.id, shard = settings_.shard](Runtime& home) { home.unclaim(id, shard); });
  }
  drop(call);
}

void Runtime::drop(Call& call) {
  const CallPtr keep(&call);
  call.timer.cancel();
  tally_.outcome_bytes -= call.stored_bytes;
  if (call.caller) call.caller->outcome_bytes -= call.stored_bytes;
  calls_in_order_.remove(call);
  // A mailbox may hold on to one that has settled, and a forgotten call is not joined any more.
  call.input = {};
  calls_.remove(call.id);
  --tally_.calls;
}

}  // namespace agentd::runtime
