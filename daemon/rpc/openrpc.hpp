#pragma once

#include <string>

#include "daemon/rpc/node_control.hpp"

namespace agentd::rpc {

/// The OpenRPC 1.3.2 document of the method table: what `rpc.discover` answers.
[[nodiscard]] std::string openrpc_document(const NodeFacts& facts);

}  // namespace agentd::rpc
