#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <agentd/error.hpp>
#include <agentd/ids.hpp>

#include "daemon/runtime/limits.hpp"
#include "daemon/runtime/worker_pool.hpp"

namespace agentd::runtime {

class Shards;

/// What a runtime is told when it is made.
struct RuntimeSettings {
  /// How other nodes name this one; an empty host for a program's own local agents.
  NodeAddress self;
  /// Further addresses that mean this node.
  std::vector<NodeAddress> aliases;
  Limits limits;
  unsigned workers = 4;
  /// Shared by the runtimes of one node; null: one of its own, with `workers` threads.
  std::shared_ptr<WorkerPool> pool;
  /// The runtimes of the same node, and which of them this one is; null where there is no other.
  Shards* shards = nullptr;
  std::size_t shard = 0;
  /// Why there is no agent of that id, where somebody knows more than that. May be empty.
  std::function<std::optional<Error>(std::string_view id)> why_missing;
};

}  // namespace agentd::runtime
