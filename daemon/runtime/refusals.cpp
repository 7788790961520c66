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
  auto ttl = settings_.limits.refusal_ttl;
  // No longer than by default: what is never sent again must not fill the table.
  if (blocks) {
    ttl = std::max(ttl,
                   std::min(request.deadline.value_or(settings_.limits.deadline), settings_.limits.deadline));
  }
  const bool stray = is_stray(request.call);
  if (stray) {
    // What its id gets is said at its home: there may be a call of that id.
    StrayRefusal refusal{why, remember, blocks ? std::optional(settings_.shard) : std::nullopt, ttl};
    settings_.shards->at(settings_.shard, home_shard(request.call),
                         [id = request.call, refusal = std::move(refusal)](Runtime& home) {
                           home.stray_refused(id, refusal);
                         });
    strays_no_more(request.call);
  }
  const bool answers = remember && !stray;
  if (!answers && !blocks) return;
  Refusal* const refusal = remember_refusal(request.call, why, answers, ttl);
  if (refusal && blocks) hold_lane(*refusal, **agent, request.caller);
}

void Runtime::stray_refused(const CallId& id, const StrayRefusal& refused) {
  if (calls_.contains(id) || claimed_.contains(id) || tombstones_.has(id, loop_.now())) {
    if (refused.lane_at) forget_refusal_at(*refused.lane_at, id, Because::sent_again);
    return;
  }
  if (refused.answers) expected_fails(id, refused.why);
  Refusal* const refusal = remember_refusal(id, refused.why, refused.answers, refused.ttl);
  if (refusal) refusal->lane_at = refused.lane_at;
}

/// Null where there are too many.
Runtime::Refusal* Runtime::remember_refusal(const CallId& id, const Error& why, bool answers,
                                            Clock::duration ttl) {
  const std::size_t most = 100'000 / (settings_.shards ? settings_.shards->count() : 1);
  if (refusals_.size() >= most && !refusals_.contains(id)) return nullptr;
  auto& refusal = refusals_[id];
  if (!refusal) refusal = std::make_unique<Refusal>();
  refusal->runtime = this;
  refusal->id = id;
  refusal->why = why;
  refusal->answers = answers;
  refusal->timer.owner = refusal.get();
  loop_.start(refusal->timer, Clock::now() + ttl, [](async::Timer& timer) {
    Refusal& old = *static_cast<Refusal::Expiry&>(timer).owner;
    old.runtime->forget_refusal(CallId(old.id), Because::given_up);
  });
  return refusal.get();
}

void Runtime::forget_refusal_at(std::size_t shard, const CallId& id, Because because) {
  settings_.shards->at(settings_.shard, shard,
                       [id, because](Runtime& there) { there.forget_refusal(id, because); });
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
    if (!refusal->answers) refusals_.erase(CallId(refusal->id));
  }
}

void Runtime::forget_refusal(const CallId& id, Because because) {
  if (refusals_.empty()) return;
  const auto found = refusals_.find(id);
  if (found == refusals_.end()) return;
  const std::unique_ptr<Refusal> refusal = std::move(found->second);
  refusals_.erase(found);
  if (refusal->lane_at) forget_refusal_at(*refusal->lane_at, id, because);
  if (because == Because::given_up && is_stray(id)) forget_refusal_at(home_shard(id), id, because);
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
