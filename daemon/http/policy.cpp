#include "daemon/http/policy.hpp"

#include <algorithm>
#include <charconv>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <boost/asio/ip/address.hpp>

#include "daemon/http/text.hpp"

namespace agentd::http {

namespace {

namespace ip = boost::asio::ip;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  if (text.empty() || read.ec != std::errc() || read.ptr != end || port == 0) return std::nullopt;
  return port;
}

bool is_name_char(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '.' || c == '-' || c == '_';
}

/// Addresses have many spellings; this is the one that is compared.
std::string usual_form(std::string_view name) {
  boost::system::error_code not_an_address;
  const auto address = ip::make_address(std::string(name), not_an_address);
  return not_an_address ? lower_case(name) : address.to_string();
}

/// Reads `[ADDRESS]` or `NAME` off the front.
std::optional<std::string> take_name(std::string_view& text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    boost::system::error_code fault;
    const auto address = ip::make_address_v6(std::string(text.substr(1, end - 1)), fault);
    if (fault) return std::nullopt;
    text.remove_prefix(end + 1);
    return address.to_string();
  }
  const std::string_view name = text.substr(0, text.find(':'));
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_char)) return std::nullopt;
  text.remove_prefix(name.size());
  return lower_case(name);
}

/// Whether a bind to `host` can be reached as localhost.
bool reachable_as_localhost(const std::string& host) {
  if (host == "localhost") return true;
  boost::system::error_code not_an_address;
  const auto address = ip::make_address(host, not_an_address);
  return !not_an_address && (address.is_loopback() || address.is_unspecified());
}

std::array<unsigned char, 32> digest_of(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

/// `SCHEME://NAME[:PORT]` in lower case; an origin has nothing else in it that could differ.
std::string usual_origin(std::string_view origin) {
  std::string lowered = lower_case(origin);
  if (lowered.ends_with('/')) lowered.pop_back();
  const auto drop_port = [&](std::string_view scheme, std::string_view port) {
    if (lowered.starts_with(scheme) && lowered.ends_with(port)) lowered.resize(lowered.size() - port.size());
  };
  drop_port("http://", ":80");
  drop_port("https://", ":443");
  return lowered;
}

}  // namespace

std::optional<HostName> HostName::parse(std::string_view text) {
  auto name = take_name(text);
  if (!name) return std::nullopt;
  HostName host{.name = std::move(*name), .port = std::nullopt};
  if (text.empty()) return host;
  if (!text.starts_with(':')) return std::nullopt;
  host.port = parse_port(text.substr(1));
  if (!host.port) return std::nullopt;
  return host;
}

Policy::Policy(const PolicySettings& settings) : ports_{settings.listening.port, settings.advertised.port} {
  for (const std::string& host : {settings.listening.host, settings.advertised.host}) {
    if (!host.empty()) hosts_.push_back({.name = usual_form(host), .port = std::nullopt});
  }
  if (reachable_as_localhost(settings.listening.host)) {
    for (const std::string_view host : {"localhost", "127.0.0.1", "[::1]"}) add_host(host);
  }
  for (const std::string& host : settings.allowed_hosts) {
    // An IPv6 address may be listed without brackets, where no port follows it.
    const bool bare_address = !host.starts_with('[') && std::count(host.begin(), host.end(), ':') > 1;
    add_host(bare_address ? "[" + host + "]" : host);
  }
  for (const std::string& origin : settings.allowed_origins) origins_.push_back(usual_origin(origin));
  set_token(settings.token);
}

void Policy::add_host(std::string_view text) {
  if (auto host = HostName::parse(text)) hosts_.push_back(std::move(*host));
}

void Policy::set_token(std::string_view token) {
  token_.reset();
  if (!token.empty()) token_ = digest_of(token);
}

std::optional<Answer> Policy::check(const RequestHead& head, Token token) const {
  // HTTP/1.0 has no need of one, but what names no host of ours is not for us.
  if (!head.host) return refuse_and_close(400, "there is no Host, expected NAME or NAME:PORT");
  if (auto refusal = check_host(*head.host)) return refusal;
  if (head.origin) {
    if (auto refusal = check_origin(*head.origin)) return refusal;
  }
  if (token == Token::required && token_) return check_token(head);
  return std::nullopt;
}

std::optional<Answer> Policy::check_host(std::string_view text) const {
  const auto host = HostName::parse(text);
  if (!host) return refuse_and_close(400, "Host is " + quote(text) + ", expected NAME or NAME:PORT");
  if (is_ours(*host)) return std::nullopt;
  return refuse(403,
                "Host " + quote(text) +
                    " is not one of this node's names; use the address it listens on, or add the name to "
                    "allowed_hosts");
}

bool Policy::is_ours(const HostName& host) const {
  const bool our_port = !host.port || std::find(ports_.begin(), ports_.end(), *host.port) != ports_.end();
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const HostName& ours) {
    return ours.name == host.name && (ours.port ? ours.port == host.port : our_port);
  });
}

std::optional<Answer> Policy::check_origin(std::string_view origin) const {
  // RFC 6454, 7.3: "null" stands for any origin that may not be told, so it can never be allowed.
  const bool allowed =
      origin != "null" && std::find(origins_.begin(), origins_.end(), usual_origin(origin)) != origins_.end();
  if (allowed) return std::nullopt;
  return refuse(403,
                "Origin " + quote(origin) + " may not call this node; allowed_origins lists those that may");
}

std::optional<Answer> Policy::check_token(const RequestHead& head) const {
  constexpr std::string_view scheme = "bearer ";
  const std::string_view given = head.authorization.value_or("");
  const bool is_bearer = equals_ignoring_case(given.substr(0, scheme.size()), scheme);
  const Digest digest = digest_of(is_bearer ? trim(given.substr(scheme.size())) : std::string_view());
  if (is_bearer && CRYPTO_memcmp(digest.data(), token_->data(), digest.size()) == 0) return std::nullopt;
  return refuse(401,
                is_bearer ? "the token is not the right one"
                          : "this node asks for a token: send the header 'Authorization: Bearer TOKEN'",
                "WWW-Authenticate: Bearer realm=\"agentd\"\r\n");
}

}  // namespace agentd::http
