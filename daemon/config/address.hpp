#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/node/node_config.hpp"

/// Addresses as people write them in flags and files.
namespace agentd::config {

/// What an address to listen on reaches.
enum class Reach { loopback, wildcard, network };

/// Whether `text` is an IPv4 or IPv6 address, or a host name.
[[nodiscard]] bool is_host(std::string_view text);
/// `[::1]` as `::1`; anything else as it is.
[[nodiscard]] std::string without_brackets(std::string_view text);
/// Names other than `localhost` count as `network`: who knows what they resolve to tomorrow.
[[nodiscard]] Reach reach_of(const std::string& host);

/// `HOST[:PORT]`, an IPv6 address in brackets where it has a port; port 0 where none is given.
[[nodiscard]] std::optional<NodeAddress> parse_address(std::string_view text);
[[nodiscard]] std::string address_text(const NodeAddress& address);

/// `HOST|CIDR[:PORT]`, an IPv6 block in brackets where it has a port.
[[nodiscard]] std::optional<PeerEntry> parse_peer(std::string_view text);
[[nodiscard]] std::string peer_text(const PeerEntry& peer);

}  // namespace agentd::config
