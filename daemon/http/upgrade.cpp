#include "daemon/http/upgrade.hpp"

#include <array>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <agentd/ids.hpp>

#include "daemon/http/text.hpp"

namespace agentd::http {

namespace {

constexpr std::size_t key_bytes = 16;
constexpr std::size_t key_length = 24;

/// RFC 6455, 4.1: base64 of 16 bytes.
bool is_key(std::string_view key) {
  std::array<unsigned char, 3 * key_length / 4> decoded{};
  if (key.size() != key_length || !key.ends_with("==") || key[key_length - 3] == '=') return false;
  const int size =
      EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(key.data()), key_length);
  return size == key_bytes + 2;
}

/// RFC 6455, 4.2.2, 5.4.
std::string accept_for(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), SHA_DIGEST_LENGTH);
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

std::optional<Answer> read_caller(std::string_view value, std::string& caller) {
  if (!caller.empty()) return refuse(400, "the URL names two callers");
  const auto decoded = percent_decode(value);
  if (!decoded || !is_caller_id(*decoded)) {
    return refuse(400, "caller is " + quote(value) + ", expected 1 to 160 of [A-Za-z0-9._:/-]");
  }
  caller = *decoded;
  return std::nullopt;
}

std::optional<Answer> read_query(std::string_view query, Upgrade& upgrade) {
  while (!query.empty()) {
    std::string_view value = cut(query, '&');
    const std::string_view key = cut(value, '=');
    if (key != "caller")
      return refuse(400, "the URL has an unknown key " + quote(key) + "; /ws takes caller=ID");
    if (auto refusal = read_caller(value, upgrade.caller)) return refusal;
  }
  return std::nullopt;
}

}  // namespace

std::variant<Upgrade, Answer> read_upgrade(const RequestHead& head) {
  Upgrade upgrade;
  if (head.has_body()) return refuse_and_close(400, "an upgrade has no body");
  if (!head.websocket_key || !is_key(*head.websocket_key)) {
    return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  if (auto refusal = read_query(head.query, upgrade)) return std::move(*refusal);
  upgrade.accept = accept_for(*head.websocket_key);
  upgrade.takes_batches = head.batch == "1";
  return upgrade;
}

std::string accept_upgrade(const Upgrade& upgrade, const std::string& boot) {
  return "HTTP/1.1 101 Switching Protocols\r\nServer: agentd\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         upgrade.accept + "\r\nAgentd-Boot: " + boot + "\r\nAgentd-Durability: off\r\n\r\n";
}

}  // namespace agentd::http
