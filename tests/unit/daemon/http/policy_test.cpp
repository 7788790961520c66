#include "daemon/http/policy.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace agentd::http;

namespace {

PolicySettings loopback() { return {.listening = {"127.0.0.1", 12001}}; }

unsigned status_of(const Policy& policy, const RequestHead& head,
                   Policy::Token token = Policy::Token::required) {
  const auto refusal = policy.check(head, token);
  return refusal ? refusal->status : 200;
}

unsigned host(const PolicySettings& settings, std::string_view text) {
  RequestHead head;
  head.host = text;
  return status_of(Policy(settings), head);
}

unsigned origin(const PolicySettings& settings, std::string_view text) {
  RequestHead head;
  head.host = "localhost";
  head.origin = text;
  return status_of(Policy(settings), head);
}

unsigned authorization(const Policy& policy, std::optional<std::string_view> text) {
  RequestHead head;
  head.host = "localhost";
  head.authorization = text;
  return status_of(policy, head);
}

}  // namespace

TEST_CASE("Host is read into name and port") {
  CHECK(HostName::parse("A.b:80") == HostName{"a.b", 80});
  CHECK(HostName::parse("a") == HostName{"a", std::nullopt});
  CHECK(HostName::parse("[0:0::1]:80") == HostName{"::1", 80});
  for (const char* bad : {"", ":", ":80", "a:", "a:0", "a:x", "a:65536", "a:80:80", "[::1", "[a]", "[::1]x",
                          "::1", "a b", "a/b", "user@a", "a,b", "a:+80", "a: 80"}) {
    INFO(bad);
    CHECK_FALSE(HostName::parse(bad));
  }
}

TEST_CASE("a node bound to loopback is known by loopback's names, with its port or none") {
  for (const char* ours :
       {"127.0.0.1", "127.0.0.1:12001", "localhost", "LocalHost:12001", "[::1]:12001", "[::1]"}) {
    INFO(ours);
    CHECK(host(loopback(), ours) == 200);
  }
  for (const char* other :
       {"evil.example", "127.0.0.1:80", "localhost:12002", "127.0.0.2", "localhost.evil.example",
        "localhost.", "127.0.0.1.nip.io:12001", "127.1", "[::2]"}) {
    INFO(other);
    CHECK(host(loopback(), other) == 403);
  }
}

TEST_CASE("a Host that is no host is malformed") {
  CHECK(host(loopback(), "") == 400);
  CHECK(host(loopback(), "localhost:port") == 400);
  CHECK(host(loopback(), "localhost, evil.example") == 400);
}

TEST_CASE("a node bound to one address is not localhost") {
  const PolicySettings settings{.listening = {"10.0.0.2", 12001}, .advertised = {"agents.example", 443}};
  CHECK(host(settings, "10.0.0.2:12001") == 200);
  CHECK(host(settings, "agents.example") == 200);
  CHECK(host(settings, "agents.example:443") == 200);
  CHECK(host(settings, "agents.example:444") == 403);
  CHECK(host(settings, "localhost:12001") == 403);
}

TEST_CASE("a node bound to all addresses is known by its advertised name and as localhost") {
  const PolicySettings settings{.listening = {"0.0.0.0", 12001}, .advertised = {"10.0.0.2", 12001}};
  CHECK(host(settings, "10.0.0.2:12001") == 200);
  CHECK(host(settings, "localhost:12001") == 200);
  CHECK(host(settings, "10.0.0.3:12001") == 403);
}

TEST_CASE("further hosts are allowed by name, with our port or the one that is listed") {
  PolicySettings settings = loopback();
  settings.allowed_hosts = {"Proxy.example", "other.example:8443", "fd00::1"};
  CHECK(host(settings, "proxy.example") == 200);
  CHECK(host(settings, "proxy.example:12001") == 200);
  CHECK(host(settings, "proxy.example:8443") == 403);
  CHECK(host(settings, "other.example:8443") == 200);
  CHECK(host(settings, "other.example") == 403);
  CHECK(host(settings, "[fd00:0::1]:12001") == 200);
}

TEST_CASE("no Host does not pass, whatever the version") {
  RequestHead head;
  CHECK(status_of(Policy(loopback()), head) == 400);
  head.minor = 0;
  CHECK(status_of(Policy(loopback()), head) == 400);
}

TEST_CASE("an origin passes where it is listed, exactly") {
  PolicySettings settings = loopback();
  settings.allowed_origins = {"https://Ui.example", "http://localhost:3000", "null"};
  CHECK(origin(settings, "https://ui.example") == 200);
  CHECK(origin(settings, "https://ui.example:443") == 200);
  CHECK(origin(settings, "http://localhost:3000") == 200);
  for (const char* other :
       {"null", "", "http://ui.example", "https://ui.example:444", "https://ui.example.evil.example",
        "https://evil.example", "http://localhost", "http://localhost:30000", "ui.example",
        "https://ui.example, https://evil.example"}) {
    INFO(other);
    CHECK(origin(settings, other) == 403);
  }
}

TEST_CASE("no origin at all passes") {
  RequestHead head;
  head.host = "localhost";
  CHECK(status_of(Policy(loopback()), head) == 200);
}

TEST_CASE("the token must be right to the last character, the scheme in any case") {
  PolicySettings settings = loopback();
  settings.token = "secret";
  const Policy policy(settings);
  CHECK(authorization(policy, "Bearer secret") == 200);
  CHECK(authorization(policy, "bEARER secret") == 200);
  CHECK(authorization(policy, "Bearer  secret") == 200);
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer secre", "Bearer secret2", "Bearer Secret",
                            "secret", "Basic secret", "Bearersecret", "Bearer secret secret"}) {
    INFO(wrong);
    CHECK(authorization(policy, wrong) == 401);
  }
  CHECK(authorization(policy, std::nullopt) == 401);
}

TEST_CASE("a refusal for want of the token says which scheme, and never the token") {
  PolicySettings settings = loopback();
  settings.token = "secret";
  RequestHead head;
  head.host = "localhost";
  const auto refusal = Policy(settings).check(head, Policy::Token::required);
  REQUIRE(refusal);
  CHECK(refusal->headers.find("WWW-Authenticate: Bearer") == 0);
  CHECK(refusal->body.find("secret") == std::string::npos);
}

TEST_CASE("another token counts from the moment it is set") {
  PolicySettings settings = loopback();
  settings.token = "old";
  Policy policy(settings);
  policy.set_token("new");
  CHECK(authorization(policy, "Bearer old") == 401);
  CHECK(authorization(policy, "Bearer new") == 200);
  policy.set_token("");
  CHECK(authorization(policy, std::nullopt) == 200);
}

TEST_CASE("a route that asks for no token still asks for the host") {
  PolicySettings settings = loopback();
  settings.token = "secret";
  RequestHead head;
  head.host = "localhost";
  CHECK(status_of(Policy(settings), head, Policy::Token::not_asked) == 200);
  head.host = "evil.example";
  CHECK(status_of(Policy(settings), head, Policy::Token::not_asked) == 403);
}
