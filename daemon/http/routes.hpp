#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/http/answer.hpp"
#include "daemon/http/policy.hpp"
#include "daemon/http/request_head.hpp"
#include "daemon/rpc/dispatcher.hpp"

namespace agentd::http {

enum class Route : std::uint8_t { rpc, websocket, home, healthz, readyz, metrics, openrpc };

/// What a request's header says is to be done.
struct Plan {
  /// Set where nothing is to be done but to answer this; the other members then do not count.
  std::optional<Answer> answer;
  Route route = Route::home;
  /// Header lines that every answer to this request carries.
  std::string headers;
};

/// Decides by the header alone: policy first, then route and method, then what the route asks for.
[[nodiscard]] Plan plan_request(const RequestHead& head, const Policy& policy);

/// The answer of a route that only shows something. @pre `route` is neither rpc nor websocket
[[nodiscard]] Answer show(Route route, const rpc::Dispatcher& dispatcher);

}  // namespace agentd::http
