// What goes between the runtimes of one node.

#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

/// The slot of a call that waits for what is at another shard.
struct WaitingSlot {
  std::size_t shard = 0;
  CallId call;
  std::uint64_t seq = 0;
  std::size_t slot = 0;
  std::uint64_t origin = 0;
  std::weak_ptr<void> wanted;
};

/// Brings a call's outcome to a slot at another shard. Lives at the shard where that call is looked for.
class SiblingWatcher : public Watcher {
public:
  SiblingWatcher(Runtime& here, WaitingSlot waiting) : here_(here), waiting_(std::move(waiting)) {}

  static void watch(Runtime& there, const CallId& id, WaitingSlot waiting) {
    if (waiting.wanted.expired()) return;
    const auto grace = there.limits().grace;
    const auto watcher = std::make_shared<SiblingWatcher>(there, std::move(waiting));
    const auto awaited = there.find_call(id);
    if (awaited && (*awaited)->is_settled()) {
      return watcher->settled(**awaited, protocol::SettledMode::value);
    }
    there.watch_id(id, watcher, grace);
    watcher->waits(id);
  }

  void settled(const Call& call, protocol::SettledMode) override {
    if (call.state == CallState::done) {
      send(call.message());
    } else {
      send(*call.error);
    }
  }
  void unknown(const CallId&, const Error& why) override { send(why); }
  void moved(const CallId& id, std::size_t shard) override {
    here_.shards()->at(here_.shard(), shard,
                       [id, waiting = waiting_](Runtime& there) { watch(there, id, waiting); });
  }
  [[nodiscard]] std::uint64_t connection() const override { return waiting_.origin; }
  [[nodiscard]] bool waits_elsewhere() const override { return !gone(); }
  [[nodiscard]] bool gone() const override { return waiting_.wanted.expired(); }

private:
  /// A circle is closed where the one that waits is waited for itself. Asked when it is known to wait: of
  /// two that begin to wait for each other at once, one sees the other.
  void waits(const CallId& id) const {
    here_.shards()->at(here_.shard(), waiting_.shard,
                       [call = waiting_.call, seq = waiting_.seq, id](Runtime& runtime) {
                         runtime.now_waits(call, seq, id);
                       });
  }

  void send(Outcome outcome) {
    here_.shards()->at(here_.shard(), waiting_.shard,
                       [waiting = waiting_, outcome = std::move(outcome)](Runtime& runtime) mutable {
                         runtime.input_came(waiting.call, waiting.seq, waiting.slot, std::move(outcome));
                       });
  }

  Runtime& here_;
  WaitingSlot waiting_;
};

}  // namespace

const Totals& Runtime::others() const {
  if (settings_.shards && others_at_ != loop_.turns()) {
    others_at_ = loop_.turns();
    others_ = settings_.shards->others(settings_.shard);
  }
  return others_;
}

Totals Runtime::totals() const {
  Totals sum = others();
  sum += tally_;
  return sum;
}

void Runtime::resolve_sibling(const CallPtr& call, std::size_t slot, const CallId& id) {
  const auto interest = std::make_shared<char>();
  const std::size_t there = settings_.shards->of_call(id);
  settings_.shards->at(
      settings_.shard, there,
      [id, waiting = WaitingSlot{settings_.shard, call->id, call->seq, slot, call->origin, interest}](
          Runtime& runtime) { SiblingWatcher::watch(runtime, id, waiting); });
  call->input.ask(slot, interest);
}

// Ids that have their home elsewhere.

void Runtime::ask_claim(const Call& call) {
  settings_.shards->at(settings_.shard, home_shard(call.id),
                       [id = call.id, shard = settings_.shard, seq = call.seq,
                        origin = call.origin](Runtime& home) { home.claim(id, shard, seq, origin); });
}

void Runtime::claim(const CallId& id, std::size_t shard, std::uint64_t seq, std::uint64_t origin) {
  std::optional<ClaimRefusal> refused;
  if (Call* const there = calls_.find(id)) {
    refused = ClaimRefusal{used_elsewhere(id), there->was_made_by(origin)};
  } else if (tombstones_.has(id, loop_.now())) {
    refused = ClaimRefusal{call_not_found(id), false};
  } else if (!claimed_.emplace(id, shard).second) {
    refused = ClaimRefusal{used_elsewhere(id), false};
  }
  settings_.shards->at(settings_.shard, shard,
                       [id, seq, refused, awaited = expected_.contains(id)](Runtime& runtime) {
                         runtime.claim_answered(id, seq, refused, awaited);
                       });
  if (refused) return;
  // It was sent again, to an agent elsewhere.
  forget_refusal(id, Because::sent_again);
  move_expected(id, shard);
}

void Runtime::when_claimed(Call& call, OnClaimed told) {
  ClaimWait& wait = claim_waits_[call.id];
  wait.call = &call;
  wait.told.push_back(std::move(told));
}

void Runtime::claim_answered(const CallId& id, std::uint64_t seq, const std::optional<ClaimRefusal>& refused,
                             bool awaited) {
  // It may have settled and been released meanwhile; who waits is answered all the same.
  const auto waits = claim_waits_.find(id);
  const CallPtr call = waits != claim_waits_.end() ? waits->second.call : CallPtr(calls_.find(id));
  if (!call || call->seq != seq) return;
  std::vector<OnClaimed> waiting;
  if (waits != claim_waits_.end()) {
    waiting = std::move(waits->second.told);
    claim_waits_.erase(waits);
  }
  call->unclaimed = false;
  call->awaited_at_home = awaited;
  for (const OnClaimed& told : waiting) told(*call, refused ? &*refused : nullptr);
  if (refused) {
    claim_refused(*call, refused->why);
  } else if (call->state == CallState::waiting) {
    ready_if_complete(call);
  }
}

/// The id is another call's: this one leaves nothing behind.
void Runtime::claim_refused(Call& call, const Error& why) {
  if (!call.is_settled()) settle_failed(call, located(why, call));
  call.stray = false;
  if (calls_.find(call.id) == &call) drop(call);
  strays_no_more(call.id);
}

void Runtime::unclaim(const CallId& id, std::size_t shard) {
  const auto claimed = claimed_.find(id);
  if (claimed != claimed_.end() && claimed->second == shard) {
    claimed_.erase(claimed);
    tombstones_.add(id, loop_.now());
  }
  // Only now: until its home remembers the id, who asks for it is sent to where the call was.
  settings_.shards->strays().remove(id, shard);
}

void Runtime::move_expected(const CallId& id, std::size_t shard) {
  const auto entry = take_expected(id);
  if (!entry) return;
  leave_places(*entry);
  for (const auto& one : entry->watchers) one.who->moved(id, shard);
  for (const auto& one : entry->dependents) {
    if (one.who.call->state == CallState::waiting) resolve_sibling(one.who.call, one.who.slot, id);
  }
}

void Runtime::ask_home_of_refused(const CallId& id, std::uint64_t origin, std::function<void(bool)> told) {
  const std::size_t here = settings_.shard;
  const std::size_t home = home_shard(id);
  settings_.shards->at(here, home, [=, told = std::move(told)](Runtime& there) {
    const Call* const call = there.calls_.find(id);
    const bool same = call && call->was_made_by(origin);
    there.shards()->at(home, here, [=](Runtime&) { told(same); });
  });
}

void Runtime::strays_no_more(const CallId& id) { settings_.shards->strays().remove(id, settings_.shard); }

}  // namespace agentd::runtime
