#include "daemon/http/routes.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>

#include "daemon/http/upgrade.hpp"

using namespace agentd::http;

namespace {

Policy policy(const std::string& token = {}) {
  return Policy({.listening = {"127.0.0.1", 12001},

                 .allowed_origins = {"https://ui.example"},
                 .token = token});
}

RequestHead request(std::string_view method, std::string_view path) {
  RequestHead head;
  head.method = method;
  head.path = path;
  head.host = "localhost:12001";
  return head;
}

RequestHead from_browser(std::string_view method, std::string_view path) {
  RequestHead head = request(method, path);
  head.origin = "https://ui.example";
  return head;
}

RequestHead handshake() {
  RequestHead head = request("GET", "/ws");
  head.connection_upgrade = true;
  head.upgrade_to_websocket = true;
  head.websocket_version = "13";
  head.websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
  return head;
}

unsigned status_of(const RequestHead& head, const std::string& token = {}) {
  const Plan plan = plan_request(head, policy(token));
  return plan.answer ? plan.answer->status : 200;
}

unsigned upgrade_status(std::string_view query) {
  RequestHead head = handshake();
  head.query = query;
  const auto result = read_upgrade(head);
  return std::holds_alternative<Answer>(result) ? std::get<Answer>(result).status : 101;
}

std::string caller_of(std::string_view query) {
  RequestHead head = handshake();
  head.query = query;
  return std::get<Upgrade>(read_upgrade(head)).caller;
}

}  // namespace

TEST_CASE("each route has its methods") {
  CHECK(status_of(request("POST", "/rpc")) == 200);
  for (const char* path : {"/", "/healthz", "/readyz", "/metrics", "/openrpc.json"}) {
    INFO(path);
    CHECK(status_of(request("GET", path)) == 200);
    CHECK(status_of(request("HEAD", path)) == 200);
    CHECK(status_of(request("POST", path)) == 405);
    CHECK(status_of(request("OPTIONS", path)) == 405);
  }
}

TEST_CASE("a wrong method is told the right ones, a wrong path the routes") {
  const Plan method = plan_request(request("GET", "/rpc"), policy());
  REQUIRE(method.answer);
  CHECK(method.answer->status == 405);
  CHECK(method.answer->headers == "Allow: POST\r\n");
  const Plan path = plan_request(request("GET", "/rcp"), policy());
  REQUIRE(path.answer);
  CHECK(path.answer->status == 404);
  CHECK(path.answer->body.find("/rpc") != std::string::npos);
}

TEST_CASE("paths are compared as they stand") {
  for (const char* path : {"/rpc/", "//rpc", "/RPC", "/%72pc", "/rpc/../rpc", "/healthz/"}) {
    CHECK(status_of(request("POST", path)) == 404);
  }
}

TEST_CASE("all but liveness and readiness ask for the token") {
  for (const char* path : {"/", "/metrics", "/openrpc.json", "/ws", "/nothing"}) {
    CHECK(status_of(request("GET", path), "secret") == 401);
  }
  CHECK(status_of(request("POST", "/rpc"), "secret") == 401);
  CHECK(status_of(request("GET", "/healthz"), "secret") == 200);
  CHECK(status_of(request("GET", "/readyz"), "secret") == 200);
}

TEST_CASE("the type of a body matters only where a browser sends it") {
  RequestHead head = request("POST", "/rpc");
  head.content_type = "application/x-www-form-urlencoded";
  CHECK(status_of(head) == 200);
  head = from_browser("POST", "/rpc");
  CHECK(status_of(head) == 415);
  head.content_type = "text/plain";
  CHECK(status_of(head) == 415);
  head.content_type = "application/json; charset=utf-8";
  CHECK(status_of(head) == 200);
}

TEST_CASE("a preflight of an allowed origin is answered without the token") {
  RequestHead head = from_browser("OPTIONS", "/rpc");
  head.requested_method = "POST";
  const Plan plan = plan_request(head, policy("secret"));
  REQUIRE(plan.answer);
  CHECK(plan.answer->status == 204);
  CHECK(plan.answer->headers.find("Access-Control-Allow-Methods: POST\r\n") != std::string::npos);
  CHECK(plan.headers.find("Access-Control-Allow-Origin: https://ui.example\r\n") == 0);
}

TEST_CASE("a preflight of any other origin is refused") {
  RequestHead head = from_browser("OPTIONS", "/rpc");
  head.requested_method = "POST";
  head.origin = "https://evil.example";
  CHECK(status_of(head) == 403);
  head.origin.reset();
  CHECK(status_of(head) == 405);
}

TEST_CASE("an answer that a page may read names its origin, also where the token is missing") {
  RequestHead head = from_browser("GET", "/metrics");
  CHECK_FALSE(plan_request(head, policy()).headers.empty());
  CHECK_FALSE(plan_request(head, policy("secret")).headers.empty());
  CHECK(plan_request(request("GET", "/metrics"), policy()).headers.empty());
  head.origin = "https://evil.example";
  CHECK(plan_request(head, policy()).headers.empty());
}

TEST_CASE("/ws without an upgrade of the right version says what it needs") {
  CHECK(status_of(handshake()) == 200);
  RequestHead head = handshake();
  head.websocket_version = "8";
  CHECK(status_of(head) == 426);
  head = handshake();
  head.upgrade_to_websocket = false;
  CHECK(status_of(head) == 426);
  head = handshake();
  head.minor = 0;
  CHECK(status_of(head) == 426);
  const Plan plan = plan_request(request("GET", "/ws"), policy());
  REQUIRE(plan.answer);
  CHECK(plan.answer->headers.find("Upgrade: websocket\r\n") != std::string::npos);
}

TEST_CASE("the handshake is accepted as RFC 6455's example says") {
  CHECK(std::get<Upgrade>(read_upgrade(handshake())).accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a handshake's key must be 16 bytes in base64") {
  for (const char* key : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZ===",
                          "dGhlIHNhbXBsZSBub25jZSEh", "!!!!!!!!!!!!!!!!!!!!!!=="}) {
    INFO(key);
    RequestHead head = handshake();
    head.websocket_key = key;
    CHECK(std::holds_alternative<Answer>(read_upgrade(head)));
  }
}

TEST_CASE("the URL may name the caller, and nothing else") {
  CHECK(caller_of("") == "");
  CHECK(caller_of("caller=abc") == "abc");
  CHECK(caller_of("caller=10.0.0.2%3A12001/a%2Fb") == "10.0.0.2:12001/a/b");
  for (const char* query : {"caller=", "caller", "caller=a%20b", "caller=a%2", "caller=a%zz",
                            "caller=a&caller=b", "name=a", "caller=a&x=1", "token=secret", "CALLER=a"}) {
    INFO(query);
    CHECK(upgrade_status(query) == 400);
  }
  CHECK(upgrade_status("caller=" + std::string(161, 'a')) == 400);
}

TEST_CASE("batches are welcome where the client says so") {
  RequestHead head = handshake();
  CHECK_FALSE(std::get<Upgrade>(read_upgrade(head)).takes_batches);
  head.batch = "1";
  CHECK(std::get<Upgrade>(read_upgrade(head)).takes_batches);
  head.batch = "0";
  CHECK_FALSE(std::get<Upgrade>(read_upgrade(head)).takes_batches);
}
