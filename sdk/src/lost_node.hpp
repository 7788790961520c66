#pragma once

#include <agentd/error.hpp>

#include "sdk/src/session.hpp"

namespace agentd::sdk {

/// That server has ended for good: what waits there fails with `why`, and so does whatever is sent
/// there from now on. Who gets its address is another node. Thread-safe.
void lose_node(SessionNode& node, const Error& why);

}  // namespace agentd::sdk
