#include "daemon/runtime/circles.hpp"

#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "daemon/runtime/hosted_agent.hpp"

namespace agentd::runtime {
namespace {

/// A search through more than these would hold up the loop; a larger circle ends by its deadline.
constexpr std::size_t most_waits = 20'000;

/// A call, here or elsewhere, that cannot be done without.
struct Awaited {
  const Call* call = nullptr;
  CallId elsewhere;
};

/// Everything that `call` cannot settle without.
void collect_waits(const Call& call, const FindCall& find, std::vector<Awaited>& waits) {
  const auto add = [&](const Call* other) {
    if (other && !other->is_settled()) waits.push_back({other, {}});
  };
  const auto add_id = [&](const CallId& id, const NodeAddress* node) {
    const Found found = find(id, node);
    if (found.elsewhere) waits.push_back({nullptr, id});
    add(found.call);
  };
  if (call.state == CallState::running) {
    if (!call.awaits.empty()) add_id(call.awaits, nullptr);
    return;
  }
  for (std::size_t slot = 0; slot < call.input.slots(); ++slot) {
    if (const auto& source = call.input.source(slot).placeholder) add_id(source->call, &source->node);
  }
  if (call.lane) add(call.lane_previous);
  // A settled call may still occupy its agent; what its method waits for is all that is known.
  if (const Call* running = call.agent->running.get()) {
    if (!running->is_settled()) {
      add(running);
    } else if (!running->awaits.empty()) {
      add_id(running->awaits, nullptr);
    }
  }
}

using FoundThrough = boost::unordered_flat_map<const Call*, const Call*>;

/// From `first` to `last`, which was found through the others.
std::vector<const Call*> way_to(const Call& first, const Call& last, const FoundThrough& waiters) {
  std::vector<const Call*> way = {&last};
  while (way.back() != &first) way.push_back(waiters.at(way.back()));
  std::reverse(way.begin(), way.end());
  return way;
}

}  // namespace

WaitsOf waits_of(const Call& call, const CallId& target, const FindCall& find) {
  /// Who was found to wait for each.
  FoundThrough waiters;
  WaitsOf found;
  std::vector<const Call*> open = {&call};
  std::size_t looked_at = 0;
  while (!open.empty() && looked_at < most_waits) {
    const Call* const waiter = open.back();
    open.pop_back();
    std::vector<Awaited> waits;
    collect_waits(*waiter, find, waits);
    looked_at += waits.size();
    for (const Awaited& next : waits) {
      if ((next.call ? next.call->id : next.elsewhere) == target) {
        found.circle = way_to(call, *waiter, waiters);
        return found;
      }
      if (!next.call) {
        found.beyond.push_back({next.elsewhere, way_to(call, *waiter, waiters)});
      } else if (next.call != &call && waiters.emplace(next.call, waiter).second) {
        open.push_back(next.call);
      }
    }
  }
  return found;
}

}  // namespace agentd::runtime
