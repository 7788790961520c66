// Ids that somebody waits for before they come.

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {

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

}  // namespace agentd::runtime
