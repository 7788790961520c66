#pragma once

#include <functional>
#include <vector>

#include "daemon/runtime/call.hpp"

namespace agentd::runtime {

/// A call that somebody waits for, and through whom.
struct Found {
  /// Null where the call is not here.
  const Call* call = nullptr;
  /// It is at another shard of this node.
  bool elsewhere = false;
};
/// Finds a call by its id, and by the node where that is known.
using FindCall = std::function<Found(const CallId&, const NodeAddress* node)>;

/// What a call waits for, as far as it can be seen here.
struct WaitsOf {
  /// The calls through which the first waits for the target, each for the next: the first in front. Empty
  /// where it does not.
  std::vector<const Call*> circle;
  /// Calls at other shards that it waits for, each with the calls through which.
  struct Beyond {
    CallId id;
    std::vector<const Call*> way;
  };
  std::vector<Beyond> beyond;
};

/// Whether `call` cannot settle before the call `target`, itself or one that is elsewhere. A call waits for
/// its inputs, the call before it in its lane, the call that its agent runs, and what that call's method
/// waits for. Looks at this shard only. Loop thread only.
[[nodiscard]] WaitsOf waits_of(const Call& call, const CallId& target, const FindCall& find);

}  // namespace agentd::runtime
