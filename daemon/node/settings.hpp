#pragma once

#include "daemon/http/server.hpp"
#include "daemon/node/node.hpp"
#include "daemon/peers/peer_links.hpp"
#include "daemon/runtime/runtime.hpp"

/// A node's configuration as each of its parts wants it.
namespace agentd {

/// How many loops the node has.
[[nodiscard]] std::size_t loop_count(const NodeConfig& config);
[[nodiscard]] http::ServerSettings server_settings(const NodeConfig& config);

/// `listening` has the real port.
[[nodiscard]] NodeAddress advertised_address(const NodeConfig& config, const NodeAddress& listening);

[[nodiscard]] runtime::RuntimeSettings runtime_settings(const NodeConfig& config,
                                                        const NodeAddress& listening);

/// Fails with `invalid_params` for a peer that cannot be one.
[[nodiscard]] Result<peers::PeerSettings> peer_settings(const NodeConfig& config, const NodeAddress& self);

/// Fails with `invalid_params` where others could not learn how to reach the node.
[[nodiscard]] Result<void> check(const NodeConfig& config);

}  // namespace agentd
