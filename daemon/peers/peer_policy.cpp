#include "daemon/peers/peer_policy.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/vocabulary/letters.hpp"

namespace agentd::peers {
namespace {

using boost::asio::ip::address;

/// An IPv4 address in IPv6 clothes is the IPv4 address.
address plain(const address& any) {
  if (!any.is_v6() || !any.to_v6().is_v4_mapped()) return any;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, any.to_v6());
}

template <typename Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const auto mask = static_cast<unsigned char>(0xFF00U >> here);
    if ((a[i] & mask) != (b[i] & mask)) return false;
    bits -= here;
  }
  return true;
}

bool in_block(const address& any, const address& network, unsigned prefix) {
  if (any.is_v4() != network.is_v4()) return false;
  if (any.is_v4()) return same_prefix(any.to_v4().to_bytes(), network.to_v4().to_bytes(), prefix);
  return same_prefix(any.to_v6().to_bytes(), network.to_v6().to_bytes(), prefix);
}

/// How many bits of the plain address the block fixes. In IPv6 clothes they are counted from those of IPv6
/// on.
std::optional<unsigned> prefix_of(const address& written, const std::string& length) {
  constexpr unsigned mapped_prefix = 96;
  const bool mapped = plain(written).is_v4() && written.is_v6();
  const unsigned least = mapped ? mapped_prefix : 0;
  unsigned bits = 0;
  const char* const end = length.data() + length.size();
  const auto [at, bad] = std::from_chars(length.data(), end, bits);
  if (bad != std::errc{} || at != end || bits < least || bits > (written.is_v4() ? 32 : 128)) {
    return std::nullopt;
  }
  return bits - least;
}

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

Result<void> PeerPolicy::add(const std::string& host, std::uint16_t port) {
  Entry entry;
  entry.port = port;
  const auto slash = host.find('/');
  boost::system::error_code error;
  const address written = boost::asio::ip::make_address(host.substr(0, slash), error);
  entry.network = plain(written);
  const unsigned all_bits = entry.network.is_v4() ? 32 : 128;
  if (slash != std::string::npos) {
    const auto prefix = error ? std::nullopt : prefix_of(written, host.substr(slash + 1));
    if (!prefix) {
      return Error(ErrorKind::invalid_params,
                   "peer \"" + host + "\" is no block of addresses: write it as 10.0.0.0/8 or fd00::/8");
    }
    entry.prefix = *prefix;
  } else if (!error) {
    entry.prefix = all_bits;
  } else {
    entry.name = detail::lower_case(host);
    if (!is_host_name(entry.name)) {
      return Error(ErrorKind::invalid_params,
                   "peer \"" + host + "\" is neither a name, an address, nor a block such as 10.0.0.0/8");
    }
  }
  entries_.push_back(std::move(entry));
  return {};
}

bool PeerPolicy::matches_port(const Entry& entry, const NodeAddress& node) {
  return entry.port == 0 || entry.port == node.port;
}

bool PeerPolicy::may_name(const NodeAddress& node) const {
  boost::system::error_code error;
  const auto literal = boost::asio::ip::make_address(node.host, error);
  if (!error) return may_dial(node, literal);
  // A name may turn out to be loopback or in a listed block only when it is resolved: resolving one
  // that nobody listed would already tell a stranger's name server something.
  const std::string name = detail::lower_case(node.host);
  return name == "localhost" || std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
           return entry.name == name && matches_port(entry, node);
         });
}

bool PeerPolicy::may_dial(const NodeAddress& node, const address& any) const {
  const address dialled = plain(any);
  if (dialled.is_loopback()) return true;
  const std::string name = detail::lower_case(node.host);
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    if (!matches_port(entry, node)) return false;
    return entry.name.empty() ? in_block(dialled, entry.network, entry.prefix) : entry.name == name;
  });
}

bool PeerPolicy::gets_token(const NodeAddress& node) const {
  boost::system::error_code error;
  const auto literal = plain(boost::asio::ip::make_address(node.host, error));
  const std::string name = detail::lower_case(node.host);
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    if (entry.port == 0 || entry.port != node.port) return false;
    if (!entry.name.empty()) return entry.name == name;
    return !error && in_block(literal, entry.network, entry.prefix);
  });
}

}  // namespace agentd::peers
