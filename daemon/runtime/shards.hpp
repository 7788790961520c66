#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <agentd/ids.hpp>

#include "common/async/loops.hpp"
#include "common/vocabulary/home.hpp"
#include "daemon/runtime/connection_places.hpp"
#include "daemon/runtime/strays.hpp"
#include "daemon/runtime/tally.hpp"

namespace agentd::runtime {

class Runtime;

/// The runtimes of one node, each on a loop of its own, and the way from one to another.
///
/// Which of them an agent or a call is at is told by its name: nothing is looked up but an id that was made
/// up elsewhere (`Strays`). Owned by the node; its runtimes are set before the loops run, and are there until
/// their threads have ended. `at` is for the thread of loop `from`; all else is thread-safe.
class Shards {
public:
  explicit Shards(async::Loops& loops) : loops_(loops), runtimes_(loops.count()) {}
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  void set(std::size_t shard, Runtime& runtime) { runtimes_[shard] = &runtime; }

  [[nodiscard]] std::size_t count() const { return runtimes_.size(); }
  [[nodiscard]] std::size_t of(Home home) const { return loop_of(home, runtimes_.size()); }
  [[nodiscard]] std::size_t of_agent(std::string_view id) const {
    return runtimes_.size() == 1 ? 0 : of(home_of(id));
  }
  [[nodiscard]] std::size_t of_call(const CallId& id) const {
    if (runtimes_.size() == 1) return 0;
    return strays_.find(id).value_or(of(id.home()));
  }
  /// Of a call that is about to be sent to that agent; an empty id is still to be minted.
  [[nodiscard]] std::size_t of_new_call(std::string_view agent, const CallId& id) {
    const std::size_t shard = of_agent(agent);
    return id.empty() || is_at_home(id, shard) ? shard : strays_.add(id, shard);
  }
  /// Whether a call with that id is no stray at that shard.
  [[nodiscard]] bool is_at_home(const CallId& id, std::size_t shard) const {
    return runtimes_.size() == 1 || of(id.home()) == shard;
  }
  [[nodiscard]] Strays& strays() { return strays_; }

  [[nodiscard]] ConnectionPlaces& places() { return places_; }

  /// The node admits no new calls: told to all at once.
  void drain() { draining_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool draining() const { return draining_.load(std::memory_order_relaxed); }

  /// Runs `work(Runtime&)` at shard `to`, later, and not at all where its runtime has closed.
  template <typename Work>
  void at(std::size_t from, std::size_t to, Work work) const {
    loops_.hand_over(from, to, [this, to, work = std::move(work)]() mutable {
      if (Runtime* const runtime = open_runtime(to)) work(*runtime);
    });
  }

  /// Of all runtimes but that one, as it was a moment ago.
  [[nodiscard]] Totals others(std::size_t shard) const;
  [[nodiscard]] async::Loop& loop(std::size_t shard) const { return loops_[shard]; }
  [[nodiscard]] const Runtime& runtime(std::size_t shard) const { return *runtimes_[shard]; }

private:
  /// On that shard's thread; null where it has closed.
  [[nodiscard]] Runtime* open_runtime(std::size_t shard) const;

  async::Loops& loops_;
  std::vector<Runtime*> runtimes_;
  Strays strays_;
  ConnectionPlaces places_;
  std::atomic<bool> draining_{false};
};

}  // namespace agentd::runtime
