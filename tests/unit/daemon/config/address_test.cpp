#include "daemon/config/address.hpp"

#include <catch2/catch.hpp>

#include <string_view>

using namespace agentd::config;  // NOLINT(google-build-using-namespace): the room under test

TEST_CASE("what an address reaches") {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"}) {
    CHECK(reach_of(host) == Reach::loopback);
  }
  for (const char* host : {"0.0.0.0", "::", "0:0::0", "::ffff:0.0.0.0"})
    CHECK(reach_of(host) == Reach::wildcard);
  for (const char* host : {"10.0.0.1", "128.0.0.1", "fd00::1", "example.org", "localhost.example.org"}) {
    CHECK(reach_of(host) == Reach::network);
  }
}

TEST_CASE("a peer is a host or a block, with a port or without") {
  const auto text = [](const char* given) {
    const auto peer = parse_peer(given);
    return peer ? peer->host + " " + std::to_string(peer->port) : "refused";
  };
  CHECK(text("a.example.org") == "a.example.org 0");
  CHECK(text("a.example.org:12001") == "a.example.org 12001");
  CHECK(text("10.0.0.2:1") == "10.0.0.2 1");
  CHECK(text("10.0.0.0/8") == "10.0.0.0/8 0");
  CHECK(text("10.0.0.0/8:65535") == "10.0.0.0/8 65535");
  CHECK(text("fd00::1") == "fd00::1 0");
  CHECK(text("[fd00::1]") == "fd00::1 0");
  CHECK(text("[fd00::1]:12001") == "fd00::1 12001");
  CHECK(text("fd00::/8") == "fd00::/8 0");
  CHECK(text("[fd00::/8]:12001") == "fd00::/8 12001");
  CHECK(text("::ffff:10.0.0.0/104") == "::ffff:10.0.0.0/104 0");
}

TEST_CASE("what is no peer is refused") {
  for (const char* text : {"",
                           ":",
                           ":12001",
                           "a:",
                           "a:0",
                           "a:65536",
                           "a:x",
                           "a:+1",
                           "a b",
                           "10.0.0.0/33",
                           "10.0.0/8",
                           "10.0.0.0/",
                           "10.0.0.0/-1",
                           "fd00::/129",
                           "name/8",
                           "[fd00::1",
                           "[fd00::1]x",
                           "[fd00::1]:",
                           "[a]:1",
                           "300.1.1.1",
                           "1.2.3",
                           "-a",
                           "http://a",
                           "a/b",
                           "*",
                           "::ffff:10.0.0.0/95"}) {
    INFO(text);
    CHECK_FALSE(parse_peer(text));
  }
}

TEST_CASE("an address with a NUL behind it is none") {
  using namespace std::string_view_literals;
  for (const auto text : {"10.0.0.2\0x"sv, "::1\0"sv, "10.0.0.0\0/8"sv, "[::\0/8]:1"sv}) {
    CHECK_FALSE(is_host(text));
    CHECK_FALSE(parse_address(text));
    CHECK_FALSE(parse_peer(text));
  }
}

TEST_CASE("an address is written as it is read") {
  for (const char* text : {"a:1", "a", "10.0.0.2:12001", "[::1]:12001", "::1"}) {
    const auto address = parse_address(text);
    REQUIRE(address);
    CHECK(address_text(*address) == text);
  }
  CHECK(peer_text(*parse_peer("[fd00::/8]:12001")) == "[fd00::/8]:12001");
}
