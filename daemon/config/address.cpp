#include "daemon/config/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace agentd::config {
namespace {

/// `inet_pton` reads up to the first NUL, and a string of a file may go on behind it.
bool read_address(int family, const std::string& text, void* address) {
  return text.find('\0') == std::string::npos && inet_pton(family, text.c_str(), address) == 1;
}

/// In the host's byte order.
std::optional<std::uint32_t> ipv4(const std::string& text) {
  in_addr address{};
  if (!read_address(AF_INET, text, &address)) return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<in6_addr> ipv6(const std::string& text) {
  in6_addr address{};
  if (!read_address(AF_INET6, text, &address)) return std::nullopt;
  return address;
}

bool is_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  const bool looks_numeric = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return !text.empty() && text.size() <= longest && !looks_numeric && text.front() != '.' &&
         text.front() != '-' && std::all_of(text.begin(), text.end(), allowed);
}

std::optional<unsigned> number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

/// `10.0.0.0/8` or `fd00::/8`. A block that holds IPv4 addresses in IPv6 clothes holds no others: what is
/// shorter than `::ffff:0.0.0.0/96` would be all of IPv4 and more.
bool is_block(std::string_view text) {
  constexpr unsigned mapped_prefix = 96;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string base(text.substr(0, slash));
  const std::string_view length = text.substr(slash + 1);
  if (ipv4(base)) return number(length, 32).has_value();
  const auto address = ipv6(base);
  if (!address) return false;
  const auto bits = number(length, 128);
  return bits && (!IN6_IS_ADDR_V4MAPPED(&*address) || *bits >= mapped_prefix);
}

/// The two sides of the colon that may stand before a port.
struct Split {
  std::string host;
  std::string port;
};

std::optional<Split> split_brackets(std::string_view text) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) return std::nullopt;
  std::string host(text.substr(1, close - 1));
  if (host.find(':') == std::string::npos) return std::nullopt;
  std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return Split{host, ""};
  if (rest.front() != ':' || rest.size() == 1) return std::nullopt;
  return Split{host, std::string(rest.substr(1))};
}

std::optional<Split> split(std::string_view text) {
  if (text.starts_with('[')) return split_brackets(text);
  const std::size_t colon = text.find(':');
  // Without a colon there is no port, and with two it is an IPv6 address.
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return Split{std::string(text), ""};
  }
  if (colon + 1 == text.size()) return std::nullopt;
  return Split{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

/// 0 where there is no port.
std::optional<std::uint16_t> port_of(const Split& parts) {
  if (parts.port.empty()) return std::uint16_t{0};
  const auto port = number(parts.port, 65535);
  if (!port || *port == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::string join(const std::string& host, std::uint16_t port) {
  if (port == 0) return host;
  const std::string bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return bracketed + ":" + std::to_string(port);
}

Reach reach_of_ipv4(std::uint32_t address) {
  if (address == INADDR_ANY) return Reach::wildcard;
  return address >> 24U == 127 ? Reach::loopback : Reach::network;
}

/// Of `::ffff:1.2.3.4`, the last part.
std::uint32_t mapped_ipv4(const in6_addr& address) {
  const auto* bytes = &address.s6_addr[12];
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U | std::uint32_t{bytes[2]} << 8U |
         bytes[3];
}

}  // namespace

bool is_host(std::string_view text) {
  const std::string host(text);
  return ipv4(host) || ipv6(host) || is_name(text);
}

std::string without_brackets(std::string_view text) {
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  return std::string(bracketed ? text.substr(1, text.size() - 2) : text);
}

Reach reach_of(const std::string& host) {
  if (const auto address = ipv4(host)) return reach_of_ipv4(*address);
  if (const auto address = ipv6(host)) {
    if (IN6_IS_ADDR_V4MAPPED(&*address)) return reach_of_ipv4(mapped_ipv4(*address));
    if (IN6_IS_ADDR_UNSPECIFIED(&*address)) return Reach::wildcard;
    return IN6_IS_ADDR_LOOPBACK(&*address) ? Reach::loopback : Reach::network;
  }
  return host == "localhost" ? Reach::loopback : Reach::network;
}

std::optional<NodeAddress> parse_address(std::string_view text) {
  const auto parts = split(text);
  if (!parts || !is_host(parts->host)) return std::nullopt;
  const auto port = port_of(*parts);
  if (!port) return std::nullopt;
  return NodeAddress{parts->host, *port};
}

std::string address_text(const NodeAddress& address) { return join(address.host, address.port); }

std::optional<PeerEntry> parse_peer(std::string_view text) {
  const auto parts = split(text);
  if (!parts || !(is_host(parts->host) || is_block(parts->host))) return std::nullopt;
  const auto port = port_of(*parts);
  if (!port) return std::nullopt;
  return PeerEntry{parts->host, *port};
}

std::string peer_text(const PeerEntry& peer) { return join(peer.host, peer.port); }

}  // namespace agentd::config
