#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "daemon/runtime/shards.hpp"

namespace agentd::rpc {

class JsonRpcDispatcher;

/// The dispatchers of one node, each at a shard of its own. Owned by the node; set before the loops run, and
/// there until their threads have ended.
class Siblings {
public:
  explicit Siblings(runtime::Shards& shards) : shards_(shards), dispatchers_(shards.count()) {}
  Siblings(const Siblings&) = delete;
  Siblings& operator=(const Siblings&) = delete;

  void set(std::size_t shard, JsonRpcDispatcher& dispatcher) { dispatchers_[shard] = &dispatcher; }
  [[nodiscard]] runtime::Shards& shards() const { return shards_; }
  [[nodiscard]] std::size_t count() const { return dispatchers_.size(); }

  /// Runs `work(JsonRpcDispatcher&)` at shard `to`, later. On the thread of shard `from`.
  template <typename Work>
  void at(std::size_t from, std::size_t to, Work work) const {
    shards_.at(from, to, [dispatcher = dispatchers_[to], work = std::move(work)](runtime::Runtime&) mutable {
      work(*dispatcher);
    });
  }

private:
  runtime::Shards& shards_;
  std::vector<JsonRpcDispatcher*> dispatchers_;
};

}  // namespace agentd::rpc
