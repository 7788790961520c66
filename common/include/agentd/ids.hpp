#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace agentd {

/// Where something lives among the loops of a node: a node with `n` of them has what is at home `h` on loop
/// `h * n / homes`. Said by its name alone, so whoever mints names can keep together what belongs together.
using Home = std::uint16_t;
inline constexpr Home homes = 1024;

/// The home of an agent, or of a caller, of that name: the same in each process and on each machine.
[[nodiscard]] Home home_of(std::string_view name) noexcept;

/// The globally unique name of one call, minted by the caller: `[A-Za-z0-9_-]{16,64}`.
///
/// Held inline (no heap), so it is cheap to copy and to use as a key. A default-constructed id is
/// empty and names no call.
class CallId {
public:
  static constexpr std::size_t min_length = 16;
  static constexpr std::size_t max_length = 64;

  CallId() = default;

  /// A fresh ULID: 26 characters, sorted by time, unique without coordination. Thread-safe.
  [[nodiscard]] static CallId mint();

  /// As `mint`, at that home: at its agent's, a call is where that is looked for.
  [[nodiscard]] static CallId mint_at(Home home);

  /// Nothing where `text` is not `[A-Za-z0-9_-]{16,64}`.
  [[nodiscard]] static std::optional<CallId> parse(std::string_view text);

  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Another one in each process. Made once, with the id: one that comes is looked for several times.
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  /// Said by its last two characters. @pre !empty()
  [[nodiscard]] Home home() const noexcept;

  friend bool operator==(const CallId& a, const CallId& b) { return a.text() == b.text(); }

private:
  [[nodiscard]] std::uint64_t hash_of_text() const noexcept;

  std::uint64_t hash_ = 0;
  std::array<char, max_length> text_{};
  std::uint8_t size_ = 0;
};

/// Where a node listens, as other nodes would dial it. An empty host names no node.
struct NodeAddress {
  std::string host;
  std::uint16_t port = 0;

  /// `host:port`, and `[host]:port` for an IPv6 literal; empty where it names no node.
  [[nodiscard]] std::string text() const;
  /// Reads what `text()` writes; nothing where it is malformed or the port is not 1..65535.
  [[nodiscard]] static std::optional<NodeAddress> parse(std::string_view text);

  auto operator<=>(const NodeAddress&) const = default;
};

/// One agent on one node. An empty node means: an agent local to this program.
struct AgentAddress {
  NodeAddress node;
  std::string agent;

  /// `host:port/agent`, the form of a path entry; `/agent` for a local one.
  [[nodiscard]] std::string text() const;

  auto operator<=>(const AgentAddress&) const = default;
};

/// A reference to a call's outcome: the wire's placeholder.
struct Placeholder {
  NodeAddress node;
  CallId call;

  friend bool operator==(const Placeholder&, const Placeholder&) = default;
};

/// Whether `text` is an agent id: `[A-Za-z0-9._-]{1,128}`.
[[nodiscard]] bool is_agent_id(std::string_view text);

/// Whether `text` is a caller id: `[A-Za-z0-9._:/-]{1,160}`.
[[nodiscard]] bool is_caller_id(std::string_view text);

/// `length` random characters of `[0-9a-z]`, for ids that a node or a session mints. Thread-safe.
[[nodiscard]] std::string random_suffix(std::size_t length);

}  // namespace agentd

template <>
struct std::hash<agentd::CallId> {
  std::size_t operator()(const agentd::CallId& id) const noexcept { return id.hash(); }
};
