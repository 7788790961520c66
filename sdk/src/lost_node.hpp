#pragma once

#include <agentd/error.hpp>
#include <agentd/ids.hpp>

namespace agentd::sdk {

/// The server at `node` has ended for good: what waits there fails with `why`, and so does whatever is
/// sent there from now on. Thread-safe.
void lose_node(const NodeAddress& node, const Error& why);

/// A new server has the address, which a lost one may have had before. Thread-safe.
void find_node(const NodeAddress& node);

}  // namespace agentd::sdk
