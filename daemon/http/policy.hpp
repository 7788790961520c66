#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <agentd/ids.hpp>

#include "daemon/http/answer.hpp"
#include "daemon/http/request_head.hpp"

namespace agentd::http {

/// Whom the server talks to.
struct PolicySettings {
  /// Where it listens, and how others reach it.
  NodeAddress listening{};
  NodeAddress advertised{};
  /// `NAME` or `NAME:PORT`; a name alone is good for our own ports.
  std::vector<std::string> allowed_hosts{};
  /// `SCHEME://NAME[:PORT]`.
  std::vector<std::string> allowed_origins{};
  /// Empty: none is asked for.
  std::string token{};
};

/// A host as `Host` names it: lower case, an address in its usual form, brackets removed.
struct HostName {
  std::string name;
  std::optional<std::uint16_t> port;

  /// Nothing where `text` is no `NAME[:PORT]` and no `[ADDRESS][:PORT]`.
  [[nodiscard]] static std::optional<HostName> parse(std::string_view text);
  bool operator==(const HostName&) const = default;
};

/// The gate in front of every route and of the upgrade: `Host` must be one of ours (so that no web
/// page reaches us under a name of its own), `Origin` absent or allowed (so that no web page reaches
/// us at all), and the token right. Everything is compared exactly, on parsed values.
///
/// Knows no socket. One thread.
class Policy {
public:
  explicit Policy(const PolicySettings& settings);

  /// Empty: none is asked for from here on.
  void set_token(std::string_view token);

  enum class Token : std::uint8_t { required, not_asked };
  /// Nothing where the request may pass; 400, 401 or 403 where not.
  [[nodiscard]] std::optional<Answer> check(const RequestHead& head, Token token) const;

private:
  using Digest = std::array<unsigned char, 32>;

  void add_host(std::string_view text);
  [[nodiscard]] std::optional<Answer> check_host(std::string_view host) const;
  [[nodiscard]] bool is_ours(const HostName& host) const;
  [[nodiscard]] std::optional<Answer> check_origin(std::string_view origin) const;
  [[nodiscard]] std::optional<Answer> check_token(const RequestHead& head) const;

  std::vector<HostName> hosts_;
  std::vector<std::uint16_t> ports_;
  std::vector<std::string> origins_;
  /// Digests, so that comparing takes the same time whatever the lengths.
  std::optional<Digest> token_;
};

}  // namespace agentd::http
