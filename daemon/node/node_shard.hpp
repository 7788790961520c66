#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "common/async/loops.hpp"
#include "common/protocol/result.hpp"
#include "daemon/node/late_dispatcher.hpp"
#include "daemon/node/node_config.hpp"
#include "daemon/peers/peer_links.hpp"
#include "daemon/rpc/json_rpc_dispatcher.hpp"
#include "daemon/rpc/siblings.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd {

/// What one loop of a node has: a runtime, its links to other nodes, and a dispatcher for the connections.
///
/// Owned by the node, and made before the loop runs. Everything else belongs to the thread of its loop, but
/// for what says otherwise.
class NodeShard {
public:
  using Clock = std::chrono::steady_clock;

  NodeShard(async::Loop& loop, std::size_t index) : loop_(loop), index_(index) { stopping_.owner = this; }
  NodeShard(const NodeShard&) = delete;
  NodeShard& operator=(const NodeShard&) = delete;

  /// `node` and `types` outlive it; `settings.shards` is null where there is no other shard.
  void make(const runtime::TypeTable& types, peers::PeerSettings peers, runtime::RuntimeSettings settings,
            rpc::NodeControl& node, const rpc::NodeFacts& facts, rpc::Siblings* siblings);

  /// Turns the loop until it is stopped, and then closes the runtime. On the thread that is the loop's from
  /// here on.
  void run(std::chrono::microseconds spin);

  /// Fails all that has not settled, a part at a time. `failed` is called at each part, and `done` once, at
  /// the end.
  void fail_unsettled(std::function<void()> failed, std::function<void()> done);
  /// Calls back when all have been told of what has settled, or at that time, and what was said is on its
  /// way.
  void when_told(Clock::time_point until, std::function<void()> told);
  void stop_peers() { peers_->stop(); }

  [[nodiscard]] async::Loop& loop() { return loop_; }
  [[nodiscard]] LateDispatcher& dispatcher() { return dispatcher_; }
  [[nodiscard]] runtime::Runtime& runtime() { return *runtime_; }
  [[nodiscard]] bool made() const { return runtime_ != nullptr; }
  /// Its counts, on any thread.
  [[nodiscard]] const peers::PeerLinks& peers() const { return *peers_; }
  [[nodiscard]] peers::PeerLinks& peers() { return *peers_; }

private:
  struct StopTimer : async::Timer {
    NodeShard* owner = nullptr;
  };

  [[nodiscard]] bool few_came();
  void fail_next();
  void look_whether_told();

  async::Loop& loop_;
  const std::size_t index_;
  std::unique_ptr<peers::PeerLinks> peers_;
  std::unique_ptr<runtime::Runtime> runtime_;
  LateDispatcher dispatcher_;
  std::uint64_t accepted_before_spin_ = 0;

  StopTimer stopping_;
  std::function<void()> failed_;
  std::function<void()> done_;
  std::function<void()> told_;
  Clock::time_point told_by_;
};

}  // namespace agentd
