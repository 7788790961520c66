#pragma once

#include <functional>

#include "daemon/runtime/call.hpp"

namespace agentd::runtime {

/// Finds a call of this node by its id; null where there is none.
using FindCall = std::function<const Call*(const CallId&)>;

/// Whether `call` waits, directly or not, for itself: through its inputs, the calls before it in its
/// lane, the call that its agent runs, and what that call's method waits for. Looks at this node
/// only. Loop thread only.
[[nodiscard]] bool is_in_circle(const Call& call, const FindCall& find);

}  // namespace agentd::runtime
