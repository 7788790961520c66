#pragma once

#include <chrono>
#include <deque>

#include <boost/unordered/unordered_flat_set.hpp>

#include <agentd/ids.hpp>

namespace agentd::runtime {

/// Ids of calls that were released or have expired: used again they must not run. Bounded in time and
/// in number; the oldest go first. Loop thread only.
class Tombstones {
public:
  using Clock = std::chrono::steady_clock;

  Tombstones(std::size_t most, std::chrono::milliseconds ttl) : most_(most), ttl_(ttl) {}

  void add(const CallId& id, Clock::time_point now) {
    forget_old(now);
    if (!ids_.insert(id).second) return;
    order_.push_back({id, now + ttl_});
    if (order_.size() > most_) forget_first();
  }

  [[nodiscard]] bool has(const CallId& id, Clock::time_point now) {
    forget_old(now);
    return ids_.contains(id);
  }

  [[nodiscard]] std::size_t size() const { return ids_.size(); }

private:
  struct Entry {
    CallId id;
    Clock::time_point until;
  };

  void forget_old(Clock::time_point now) {
    while (!order_.empty() && order_.front().until <= now) forget_first();
  }
  void forget_first() {
    ids_.erase(order_.front().id);
    order_.pop_front();
  }

  std::size_t most_;
  std::chrono::milliseconds ttl_;
  boost::unordered_flat_set<CallId, std::hash<CallId>> ids_;
  std::deque<Entry> order_;
};

}  // namespace agentd::runtime
