#include "daemon/http/routes.hpp"

#include <algorithm>
#include <string_view>

#include "daemon/http/text.hpp"

namespace agentd::http {

namespace {

struct Entry {
  std::string_view path;
  Route route;
  std::string_view methods;
  Policy::Token token;
  std::string_view about;
};

constexpr std::string_view reading = "GET, HEAD";

constexpr Entry table[] = {
    {"/rpc", Route::rpc, "POST", Policy::Token::required, "POST: JSON-RPC 2.0, one request or a batch"},
    {"/ws", Route::websocket, "GET", Policy::Token::required, "JSON-RPC 2.0 over a WebSocket"},
    {"/", Route::home, reading, Policy::Token::required, "this page"},
    {"/healthz", Route::healthz, reading, Policy::Token::not_asked, "200 while the process serves"},
    {"/readyz", Route::readyz, reading, Policy::Token::not_asked, "200 when calls are taken, 503 otherwise"},
    {"/metrics", Route::metrics, reading, Policy::Token::required, "figures, in Prometheus' text format"},
    {"/openrpc.json", Route::openrpc, reading, Policy::Token::required,
     "the methods, as an OpenRPC document"},
};

std::string list_of_routes() {
  constexpr std::size_t column = 16;
  std::string list;
  for (const Entry& entry : table) {
    list += "  ";
    list += entry.path;
    list.append(column - entry.path.size(), ' ');
    list += entry.about;
    list += '\n';
  }
  return list;
}

const Entry* find_route(std::string_view path) {
  const auto* found = std::find_if(std::begin(table), std::end(table),
                                   [&](const Entry& entry) { return entry.path == path; });
  return found == std::end(table) ? nullptr : found;
}

bool allows(const Entry& entry, std::string_view method) {
  std::string_view methods = entry.methods;
  while (!methods.empty()) {
    if (trim(cut(methods, ',')) == method) return true;
  }
  return false;
}

/// A CORS preflight, which a browser sends without the token.
bool is_preflight(const RequestHead& head) {
  return head.method == "OPTIONS" && head.origin && head.requested_method;
}

Answer answer_preflight(const Entry& entry) {
  Answer answer;
  answer.status = 204;
  answer.headers = "Access-Control-Allow-Methods: " + std::string(entry.methods) +
                   "\r\nAccess-Control-Allow-Headers: authorization, content-type\r\n"
                   "Access-Control-Max-Age: 600\r\n";
  return answer;
}

Answer not_found(std::string_view path) {
  return refuse(404, "there is nothing at " + quote(path) + "; the routes are:\n" + list_of_routes());
}

Answer wrong_method(const Entry& entry, std::string_view method) {
  return refuse(405,
                std::string(entry.path) + " takes " + std::string(entry.methods) + ", not " + quote(method),
                "Allow: " + std::string(entry.methods) + "\r\n");
}

/// Type and parameters: `application/json; charset=utf-8`.
bool is_json(std::string_view content_type) {
  return equals_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), "application/json");
}

/// A page may send a form to anywhere without asking first, so from a browser only what needs a
/// preflight is taken. Elsewhere the type does not matter: curl -d says it sends a form.
std::optional<Answer> check_type(const RequestHead& head) {
  if (!head.origin || is_json(head.content_type.value_or(""))) return std::nullopt;
  return refuse(415, "from a browser, Content-Type must be application/json, not " +
                         quote(head.content_type.value_or("")));
}

std::optional<Answer> check_upgrade(const RequestHead& head) {
  const bool wanted = head.connection_upgrade && head.upgrade_to_websocket && head.minor == 1;
  if (wanted && head.websocket_version == "13") return std::nullopt;
  return refuse(426, wanted ? "the WebSocket version must be 13" : "/ws is for WebSocket clients only",
                "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n");
}

std::optional<Answer> refuse_by_route(const Entry& entry, const RequestHead& head) {
  if (!allows(entry, head.method)) return wrong_method(entry, head.method);
  if (entry.route == Route::rpc) return check_type(head);
  if (entry.route == Route::websocket) return check_upgrade(head);
  return std::nullopt;
}

std::string cors_headers(const RequestHead& head) {
  if (!head.origin) return {};
  return "Access-Control-Allow-Origin: " + std::string(*head.origin) + "\r\nVary: Origin\r\n";
}

}  // namespace

Plan plan_request(const RequestHead& head, const Policy& policy) {
  Plan plan;
  const Entry* entry = find_route(head.path);
  const bool preflight = entry != nullptr && entry->route != Route::websocket && is_preflight(head);
  const auto token = preflight ? Policy::Token::not_asked : (entry ? entry->token : Policy::Token::required);
  plan.answer = policy.check(head, token);
  // A browser may read a refusal for want of the token, but not one that its page is the reason of.
  if (!plan.answer || plan.answer->status == 401) plan.headers = cors_headers(head);
  if (plan.answer) return plan;
  if (entry == nullptr) {
    plan.answer = not_found(head.path);
  } else if (preflight) {
    plan.answer = answer_preflight(*entry);
  } else {
    plan.route = entry->route;
    plan.answer = refuse_by_route(*entry, head);
  }
  return plan;
}

Answer show(Route route, const rpc::Dispatcher& dispatcher) {
  Answer answer;
  switch (route) {
    case Route::healthz:
      answer.body = "ok\n";
      break;
    case Route::readyz:
      answer.status = dispatcher.ready() ? 200 : 503;
      answer.body = dispatcher.ready() ? "ready\n" : "not ready: starting or draining\n";
      break;
    case Route::metrics:
      answer.type = "text/plain; version=0.0.4; charset=utf-8";
      answer.body = dispatcher.metrics();
      break;
    case Route::openrpc:
      answer.type = Answer::json;
      answer.body = dispatcher.openrpc();
      break;
    default:
      answer.body = "This is agentd, a daemon that hosts agents.\n\n" + list_of_routes();
      break;
  }
  return answer;
}

}  // namespace agentd::http
