#include "daemon/runtime/circles.hpp"

#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "daemon/runtime/hosted_agent.hpp"

namespace agentd::runtime {
namespace {

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

bool is_in_circle(const Call& call, const FindCall& find) {
  boost::unordered_flat_set<const Call*> seen;
  std::vector<const Call*> open;
  collect_waits(call, find, open);
  while (!open.empty()) {
    const Call* next = open.back();
    open.pop_back();
    if (next == &call) return true;
    if (seen.insert(next).second) collect_waits(*next, find, open);
  }
  return false;
}

}  // namespace agentd::runtime
