#include "daemon/runtime/circles.hpp"

#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "daemon/runtime/hosted_agent.hpp"

namespace agentd::runtime {
namespace {

/// A search through more than these would hold up the loop; a larger circle ends by its deadline.
constexpr std::size_t most_waits = 20'000;

/// Everything that `call` cannot settle without.
void collect_waits(const Call& call, const FindCall& find, std::vector<const Call*>& waits) {
  const auto add = [&](const Call* other) {
    if (other && !other->is_settled()) waits.push_back(other);
  };
  if (call.state == CallState::running) {
    if (!call.awaits.empty()) add(find(call.awaits));
    return;
  }
  for (std::size_t slot = 0; slot < call.input.slots(); ++slot) {
    if (const auto& source = call.input.source(slot).placeholder) add(find(source->call));
  }
  if (call.lane) add(call.lane_previous);
  // A settled call may still occupy its agent; what its method waits for is all that is known.
  if (const Call* running = call.agent->running.get()) {
    if (running->is_settled()) {
      if (!running->awaits.empty()) add(find(running->awaits));
    } else {
      add(running);
    }
  }
}

}  // namespace

std::vector<const Call*> circle_of(const Call& call, const FindCall& find) {
  /// Who was found to wait for each.
  boost::unordered_flat_map<const Call*, const Call*> waiters;
  std::vector<const Call*> open = {&call};
  std::size_t looked_at = 0;
  while (!open.empty() && looked_at < most_waits) {
    const Call* const waiter = open.back();
    open.pop_back();
    std::vector<const Call*> waits;
    collect_waits(*waiter, find, waits);
    looked_at += waits.size();
    for (const Call* const next : waits) {
      if (!waiters.emplace(next, waiter).second) continue;
      if (next != &call) {
        open.push_back(next);
        continue;
      }
      std::vector<const Call*> circle = {&call};
      for (const Call* on = waiter; on != &call; on = waiters.at(on)) circle.push_back(on);
      std::reverse(circle.begin() + 1, circle.end());
      return circle;
    }
  }
  return {};
}

}  // namespace agentd::runtime
