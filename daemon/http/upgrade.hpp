#pragma once

#include <string>
#include <variant>

#include "daemon/http/answer.hpp"
#include "daemon/http/request_head.hpp"

namespace agentd::http {

/// What a client asks for with its upgrade to WebSocket.
struct Upgrade {
  /// `Sec-WebSocket-Accept`.
  std::string accept;
  /// From the URL; empty where it names none.
  std::string caller;
  /// It said `Agentd-Batch: 1`: batch frames, and larger ones, are welcome there.
  bool takes_batches = false;
};

/// Reads the handshake (RFC 6455, 4.2) and the query. The refusal is a 400.
[[nodiscard]] std::variant<Upgrade, Answer> read_upgrade(const RequestHead& head);

/// The answer that ends HTTP on the connection.
[[nodiscard]] std::string accept_upgrade(const Upgrade& upgrade, const std::string& boot);

}  // namespace agentd::http
