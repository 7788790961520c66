// Ids that somebody waits for before they come.

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

Error too_many_expected() {
  return overloaded("expected", "too many calls that are not known here are waited for (limits.expected)");
}

Error too_many_of_one() {
  return overloaded(
      "connection_expected",
      "this connection waits for a quarter of all ids that may be unknown here (limits.expected)");
}

}  // namespace

Result<Runtime::Expected*> Runtime::take_place(const CallId& id, std::uint64_t connection) {
  const std::size_t most = settings_.limits.expected;
  const bool full = expected_.size() + others().expected >= most;
  const auto asked = asked_.find(connection);
  const bool is_new = asked == asked_.end() || !asked->second.contains(id);
  if (const std::size_t held = places_of(connection); is_new && held > 0 && held >= share_of(most)) {
    return full ? too_many_expected() : too_many_of_one();
  }
  if (full && !expected_.contains(id)) return too_many_expected();
  ++asked_[connection][id];
  if (is_new && settings_.shards) settings_.shards->places().take(connection);
  auto& expected = expected_[id];
  if (!expected) {
    expected = std::make_unique<Expected>();
    expected->runtime = this;
    expected->id = id;
    expected->timer.owner = expected.get();
    ++tally_.expected;
  }
  return expected.get();
}

std::unique_ptr<Runtime::Expected> Runtime::take_expected(const CallId& id) {
  if (expected_.empty()) return nullptr;
  const auto found = expected_.find(id);
  if (found == expected_.end()) return nullptr;
  std::unique_ptr<Expected> entry = std::move(found->second);
  expected_.erase(found);
  --tally_.expected;
  return entry;
}

void Runtime::leave_place(const CallId& id, std::uint64_t connection) {
  const auto asked = asked_.find(connection);
  const auto place = asked->second.find(id);
  if (--place->second > 0) return;
  asked->second.erase(place);
  if (settings_.shards) settings_.shards->places().leave(connection);
  if (asked->second.empty()) asked_.erase(asked);
}

/// Of all loops.
std::size_t Runtime::places_of(std::uint64_t connection) const {
  if (settings_.shards) return settings_.shards->places().of(connection);
  const auto asked = asked_.find(connection);
  return asked == asked_.end() ? 0 : asked->second.size();
}

void Runtime::leave_places(const Expected& expected) {
  for (const auto& one : expected.watchers) leave_place(expected.id, one.who->connection());
  for (const auto& one : expected.dependents) leave_place(expected.id, one.who.call->origin);
}

void Runtime::expect(const CallId& id, std::chrono::milliseconds grace, std::shared_ptr<Watcher> watcher) {
  const auto until = Clock::now() + grace;
  if (const auto found = expected_.find(id); found != expected_.end()) {
    auto& watchers = found->second->watchers;
    const auto same =
        std::find_if(watchers.begin(), watchers.end(), [&](const auto& one) { return one.who == watcher; });
    if (same != watchers.end()) {
      // Who asks again waits longer, and is told once.
      same->until = std::max(same->until, until);
      return;
    }
  }
  const auto entry = take_place(id, watcher->connection());
  if (!entry) {
    // Told at the turn's end, as everything is.
    return loop_.at_turn_end(
        [watcher = std::move(watcher), id, why = entry.error()] { watcher->unknown(id, why); });
  }
  (*entry)->watchers.push_back({std::move(watcher), until});
  wait_until(**entry, until);
}

void Runtime::expect(const CallId& id, Call::Dependent dependent) {
  const auto entry = take_place(id, dependent.call->origin);
  if (!entry) {
    return loop_.at_turn_end([gate = gate_, dependent = std::move(dependent), why = entry.error()] {
      gate->enter([&](Runtime& runtime) { runtime.input_settled(dependent.call, dependent.slot, why); });
    });
  }
  const auto until = Clock::now() + settings_.limits.grace;
  (*entry)->dependents.push_back({std::move(dependent), until});
  wait_until(**entry, until);
}

void Runtime::stop_waiting(const CallId& id, const Watcher& watcher) {
  const auto found = expected_.find(id);
  if (found == expected_.end()) return;
  Expected& entry = *found->second;
  const auto there = std::find_if(entry.watchers.begin(), entry.watchers.end(),
                                  [&](const auto& one) { return one.who.get() == &watcher; });
  if (there == entry.watchers.end()) return;
  entry.watchers.erase(there);
  leave_place(id, watcher.connection());
  if (entry.watchers.empty() && entry.dependents.empty()) (void)take_expected(id);
}

void Runtime::stop_waiting(const Watcher& watcher) {
  const auto asked = asked_.find(watcher.connection());
  if (asked == asked_.end()) return;
  std::vector<CallId> ids;
  for (const auto& [id, times] : asked->second) ids.push_back(id);
  for (const CallId& id : ids) stop_waiting(id, watcher);
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
  Expected& entry = *found->second;
  Expected late;
  late.id = id;
  auto next = Clock::time_point::max();
  const auto take_late = [&next, now = Clock::now()](auto& waiting, auto& taken) {
    const auto due = std::stable_partition(waiting.begin(), waiting.end(),
                                           [now](const auto& one) { return one.until > now; });
    taken.assign(std::make_move_iterator(due), std::make_move_iterator(waiting.end()));
    waiting.erase(due, waiting.end());
    for (const auto& one : waiting) next = std::min(next, one.until);
  };
  take_late(entry.watchers, late.watchers);
  take_late(entry.dependents, late.dependents);
  leave_places(late);
  if (next == Clock::time_point::max()) {
    (void)take_expected(id);
  } else {
    wait_until(entry, next);
  }
  tell_unknown(late, call_not_found(id));
}

void Runtime::adopt_expected(Call& call) {
  const auto entry = take_expected(call.id);
  if (!entry) return;
  leave_places(*entry);
  for (auto& one : entry->watchers) call.watches.push_back({std::move(one.who)});
  for (auto& one : entry->dependents) call.dependents.push_back(std::move(one.who));
}

void Runtime::expected_fails(const CallId& id, const Error& why) {
  const auto entry = take_expected(id);
  if (!entry) return;
  leave_places(*entry);
  tell_unknown(*entry, why);
}

void Runtime::tell_unknown(const Expected& expected, const Error& why) {
  for (const auto& one : expected.watchers) one.who->unknown(expected.id, why);
  for (const auto& one : expected.dependents) input_settled(one.who.call, one.who.slot, why);
}

}  // namespace agentd::runtime
