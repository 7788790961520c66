#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/config/address.hpp"
#include "daemon/http/policy.hpp"
#include "daemon/peers/peer_policy.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd;

namespace {

void check_address(std::string_view text) {
  const auto address = config::parse_address(text);
  if (!address) return;
  require(config::is_host(address->host), "an address has a host");
  require(config::parse_address(config::address_text(*address)) == address,
          "an address is read as it is written");
  require(config::parse_peer(text).has_value(), "an address can be a peer");
  (void)config::reach_of(address->host);
}

/// Two readers look at an entry: the configuration's, and the policy that dials by it.
void check_peer(std::string_view text) {
  const auto peer = config::parse_peer(text);
  if (!peer) return;
  const auto again = config::parse_peer(config::peer_text(*peer));
  require(again && again->host == peer->host && again->port == peer->port, "a peer is read as it is written");
  peers::PeerPolicy policy;
  require(policy.add(peer->host, peer->port).has_value(), "the policy takes what the configuration takes");
  if (!config::is_host(peer->host)) return;
  const std::uint16_t port = peer->port == 0 ? 1 : peer->port;
  require(policy.may_name({peer->host, port}), "who is listed may be named");
}

void check_host_header(std::string_view text) {
  const auto host = http::HostName::parse(text);
  if (!host) return;
  require(!host->name.empty() && host->port != 0, "a host has a name, and no port 0");
  const bool address = host->name.find(':') != std::string::npos;
  std::string written = address ? "[" + host->name + "]" : host->name;
  if (host->port) written += ":" + std::to_string(*host->port);
  require(http::HostName::parse(written) == host, "a host is read as it is written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_address(text);
  check_peer(text);
  check_host_header(text);
  (void)config::reach_of(config::without_brackets(text));
  return 0;
}
