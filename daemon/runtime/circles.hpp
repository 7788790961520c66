#pragma once

#include <functional>
#include <vector>

#include "daemon/runtime/call.hpp"

namespace agentd::runtime {

/// Finds a call of this node by its id; null where there is none.
using FindCall = std::function<const Call*(const CallId&)>;

/// The calls through which `call` waits for itself, each for the next and the last for the first, which is
/// `call`; empty where it does not. A call waits for its inputs, the call before it in its lane, the call
/// that its agent runs, and what that call's method waits for. Looks at this node only. Loop thread only.
[[nodiscard]] std::vector<const Call*> circle_of(const Call& call, const FindCall& find);

}  // namespace agentd::runtime
