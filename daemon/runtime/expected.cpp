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

Runtime::Expected* Runtime::expected(const CallId& id) {
  if (expected_.size() >= settings_.limits.expected && !expected_.contains(id)) return nullptr;
  auto& expected = expected_[id];
  if (!expected) {
    expected = std::make_unique<Expected>();
    expected->runtime = this;
    expected->id = id;
    expected->timer.owner = expected.get();
  }
  return expected.get();
}

void Runtime::expect(const CallId& id, std::chrono::milliseconds grace, std::shared_ptr<Watcher> watcher) {
  // Told at the turn's end, as everything is.
  const auto refuse = [&](const Error& why) {
    loop_.at_turn_end([watcher, id, why] { watcher->unknown(id, why); });
  };
  const auto until = Clock::now() + grace;
  const auto asked = asked_.find(watcher.get());
  if (asked != asked_.end() && asked->second.contains(id)) {
    // Who asks again waits longer, and is told once.
    auto& watchers = expected_.find(id)->second->watchers;
    const auto same =
        std::find_if(watchers.begin(), watchers.end(), [&](const auto& one) { return one.who == watcher; });
    same->until = std::max(same->until, until);
    return;
  }
  if (asked != asked_.end() && asked->second.size() >= share_of(settings_.limits.expected)) {
    return refuse(expected_.size() >= settings_.limits.expected ? too_many_expected() : too_many_of_one());
  }
  Expected* const entry = expected(id);
  if (!entry) return refuse(too_many_expected());
  asked_[watcher.get()].insert(id);
  entry->watchers.push_back({std::move(watcher), until});
  wait_until(*entry, until);
}

void Runtime::expect(const CallId& id, Call::Dependent dependent) {
  Expected* const entry = expected(id);
  if (!entry) {
    return loop_.at_turn_end([gate = gate_, dependent = std::move(dependent)] {
      gate->enter([&](Runtime& runtime) {
        runtime.input_settled(dependent.call, dependent.slot, too_many_expected());
      });
    });
  }
  const auto until = Clock::now() + settings_.limits.grace;
  entry->dependents.push_back({std::move(dependent), until});
  wait_until(*entry, until);
}

void Runtime::forget_asked(const Watcher& watcher, const CallId& id) {
  const auto asked = asked_.find(&watcher);
  asked->second.erase(id);
  if (asked->second.empty()) asked_.erase(asked);
}

void Runtime::stop_waiting(const CallId& id, const Watcher& watcher) {
  const auto asked = asked_.find(&watcher);
  if (asked == asked_.end() || !asked->second.contains(id)) return;
  forget_asked(watcher, id);
  const auto found = expected_.find(id);
  Expected& entry = *found->second;
  std::erase_if(entry.watchers, [&](const auto& one) { return one.who.get() == &watcher; });
  if (entry.watchers.empty() && entry.dependents.empty()) expected_.erase(found);
}

void Runtime::stop_waiting(const Watcher& watcher) {
  const auto asked = asked_.find(&watcher);
  if (asked == asked_.end()) return;
  const std::vector<CallId> ids(asked->second.begin(), asked->second.end());
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
  if (next == Clock::time_point::max()) {
    expected_.erase(found);
  } else {
    wait_until(entry, next);
  }
  tell_unknown(late, call_not_found(id));
}

void Runtime::adopt_expected(Call& call) {
  if (expected_.empty()) return;
  const auto found = expected_.find(call.id);
  if (found == expected_.end()) return;
  const std::unique_ptr<Expected> entry = std::move(found->second);
  expected_.erase(found);
  for (auto& one : entry->watchers) {
    forget_asked(*one.who, call.id);
    call.watches.push_back({std::move(one.who)});
  }
  for (auto& one : entry->dependents) call.dependents.push_back(std::move(one.who));
}

void Runtime::expected_fails(const CallId& id, const Error& why) {
  const auto found = expected_.find(id);
  if (found == expected_.end()) return;
  const std::unique_ptr<Expected> entry = std::move(found->second);
  expected_.erase(found);
  tell_unknown(*entry, why);
}

void Runtime::tell_unknown(const Expected& expected, const Error& why) {
  for (const auto& one : expected.watchers) forget_asked(*one.who, expected.id);
  for (const auto& one : expected.watchers) one.who->unknown(expected.id, why);
  for (const auto& one : expected.dependents) input_settled(one.who.call, one.who.slot, why);
}

}  // namespace agentd::runtime
