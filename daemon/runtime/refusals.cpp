// Calls that were refused: what their ids get, and whose further calls are refused with them.

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {

Result<void> Runtime::check_lane(const HostedAgent& agent, const CallerPtr& caller, const CallId& id) const {
  if (refused_lanes_.empty() || !caller) return {};
  const auto lane = refused_lanes_.find({&agent, caller.get()});
  if (lane == refused_lanes_.end() || lane->second.front()->id == id) return {};
  return overloaded("order", "call " + std::string(lane->second.front()->id.text()) +
                                 " to this agent was refused before: send it again, or release it, first");
}

void Runtime::refuse(const CallRequest& request, const Error& why, bool remember) {
  const auto agent = find_agent(request.agent);
  const bool blocks =
      why.kind() == ErrorKind::overloaded && request.caller && agent && (*agent)->keeps_order();
  if (remember) expected_fails(request.call, why);
  if (calls_.contains(request.call)) return;
  const std::size_t most = 100'000 / (settings_.shards ? settings_.shards->count() : 1);
  const bool kept = (remember || blocks) && (refusals_.size() < most || refusals_.contains(request.call));
  if (is_stray(request.call)) stray_refused(request.call, why, remember, kept);
  if (!kept) return;
  auto& refusal = refusals_[request.call];
  if (!refusal) refusal = std::make_unique<Refusal>();
  refusal->runtime = this;
  refusal->id = request.call;
  refusal->why = why;
  refusal->answers = remember;
  refusal->timer.owner = refusal.get();
  auto ttl = settings_.limits.refusal_ttl;
  if (blocks) {
    hold_lane(*refusal, **agent, request.caller);
    // No longer than by default: what is never sent again must not fill the table.
    ttl = std::max(ttl,
                   std::min(request.deadline.value_or(settings_.limits.deadline), settings_.limits.deadline));
  }
  loop_.start(refusal->timer, Clock::now() + ttl, [](async::Timer& timer) {
    Refusal& old = *static_cast<Refusal::Expiry&>(timer).owner;
    old.runtime->forget_refusal(CallId(old.id), Because::given_up);
  });
}

void Runtime::hold_lane(Refusal& refusal, HostedAgent& agent, const CallerPtr& caller) {
  // Refused once more it keeps its place.
  if (refusal.agent == &agent && refusal.caller == caller) return;
  if (refusal.agent) leave_lane(refusal);
  RefusedLane& lane = refused_lanes_[{&agent, caller.get()}];
  refusal.agent = &agent;
  refusal.caller = caller;
  lane.push_back(&refusal);
  refusal.place = std::prev(lane.end());
}

void Runtime::leave_lane(Refusal& refusal) {
  const auto lane = refused_lanes_.find({refusal.agent.get(), refusal.caller.get()});
  lane->second.erase(refusal.place);
  if (lane->second.empty()) refused_lanes_.erase(lane);
  refusal.agent.reset();
  refusal.caller.reset();
}

/// The refused calls that held the lane hold it no more.
void Runtime::open_lane(const LaneKey& key) {
  const auto lane = refused_lanes_.find(key);
  const RefusedLane refused = std::move(lane->second);
  refused_lanes_.erase(lane);
  for (Refusal* refusal : refused) {
    refusal->agent.reset();
    refusal->caller.reset();
    if (refusal->answers) continue;
    const CallId id = refusal->id;
    refusals_.erase(id);
    if (is_stray(id)) strays_no_more(id);
  }
}

void Runtime::forget_refusal(const CallId& id, Because because) {
  if (refusals_.empty()) return;
  const auto found = refusals_.find(id);
  if (found == refusals_.end()) return;
  const std::unique_ptr<Refusal> refusal = std::move(found->second);
  refusals_.erase(found);
  if (because == Because::given_up && is_stray(id)) strays_no_more(id);
  if (!refusal->agent) return;
  const LaneKey key(refusal->agent.get(), refusal->caller.get());
  const bool was_first = refused_lanes_.find(key)->second.front() == refusal.get();
  // Who gives up the first does not send again, and would be refused for ever if those that were refused
  // behind it held the lane on: a program that makes a new call in place of each that failed.
  const bool gives_up = was_first && because == Because::given_up;
  const AgentPtr agent = refusal->agent;
  const CallerPtr caller = refusal->caller;
  leave_lane(*refusal);
  if (gives_up && refused_lanes_.contains(key)) open_lane(key);
}

}  // namespace agentd::runtime
