#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include <agentd/ids.hpp>

#include "common/protocol/result.hpp"

namespace agentd::peers {

/// Whom this node may dial: loopback, and what its configuration lists. Pure logic, a value.
///
/// A peer is listed by name, by address, or by a CIDR block; with a port, for that port only. What is
/// checked is the address that is dialled, together with the name that it was asked for by.
class PeerPolicy {
public:
  /// Fails with `invalid_params` for an entry that is neither a name, an address nor a CIDR block.
  [[nodiscard]] Result<void> add(const std::string& host, std::uint16_t port);

  /// Whether `node` may be dialled at all: no entry could match it otherwise, whatever its name means.
  [[nodiscard]] bool may_name(const NodeAddress& node) const;
  [[nodiscard]] bool may_dial(const NodeAddress& node, const boost::asio::ip::address& address) const;
  /// Tokens go only to entries that are listed with a port.
  [[nodiscard]] bool gets_token(const NodeAddress& node) const;

private:
  struct Entry {
    /// Lower case; empty where the entry is a block of addresses.
    std::string name;
    boost::asio::ip::address network;
    unsigned prefix = 0;
    std::uint16_t port = 0;
  };
  [[nodiscard]] static bool matches_port(const Entry& entry, const NodeAddress& node);
  std::vector<Entry> entries_;
};

}  // namespace agentd::peers
