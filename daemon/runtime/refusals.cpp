// Calls that were refused: what their ids get, and whose further calls are refused with them.

#include <algorithm>
#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {

Result<void> Runtime::check_lane(const HostedAgent& agent, const CallerPtr& caller, const CallId& id) const {
  if (refused_lanes_.empty() || !caller) return {};
  const auto lane = refused_lanes_.find({&agent, caller.get()});
  if (lane == refused_lanes_.end() || lane->second == id) return {};
  return overloaded("order", "call " + std::string(lane->second.text()) +
                                 " to this agent was refused before: send it again, or release it, first");
}

void Runtime::refuse(const CallRequest& request, const Error& why, bool remember) {
  const auto agent = find_agent(request.agent);
  const bool blocks = why.kind() == ErrorKind::overloaded && request.caller && agent;
  if (remember) expected_fails(request.call, why);
  if (calls_.contains(request.call) || (!remember && !blocks)) return;
  constexpr std::size_t most = 100'000;
  if (refusals_.size() >= most) return;
  auto& refusal = refusals_[request.call];
  if (!refusal) refusal = std::make_unique<Refusal>();
  refusal->runtime = this;
  refusal->id = request.call;
  refusal->why = why;
  refusal->answers = remember;
  refusal->timer.owner = refusal.get();
  auto ttl = settings_.limits.refusal_ttl;
  if (blocks) {
    refusal->agent = *agent;
    refusal->caller = request.caller;
    refused_lanes_.emplace(LaneKey(*agent, request.caller.get()), request.call);
    ttl = std::max(ttl, request.deadline.value_or(settings_.limits.deadline));
  }
  loop_.start(refusal->timer, Clock::now() + ttl, [](async::Timer& timer) {
    Refusal& old = *static_cast<Refusal::Expiry&>(timer).owner;
    old.runtime->forget_refusal(CallId(old.id));
  });
}

void Runtime::forget_refusal(const CallId& id) {
  if (refusals_.empty()) return;
  const auto found = refusals_.find(id);
  if (found == refusals_.end()) return;
  if (found->second->agent) {
    const auto lane = refused_lanes_.find({found->second->agent.get(), found->second->caller.get()});
    if (lane != refused_lanes_.end() && lane->second == id) refused_lanes_.erase(lane);
  }
  refusals_.erase(found);
}

}  // namespace agentd::runtime
