#include "daemon/peers/peer_policy.hpp"

#include <catch2/catch.hpp>

namespace agentd::peers {
namespace {

bool dials(const PeerPolicy& policy, const char* address) {
  return policy.may_dial({address, 1}, boost::asio::ip::make_address(address));
}

}  // namespace

TEST_CASE("a block of IPv4 addresses in IPv6 clothes is that block of IPv4 addresses") {
  PeerPolicy policy;
  REQUIRE(policy.add("::ffff:10.1.0.0/112", 0).has_value());
  CHECK(dials(policy, "10.1.2.3"));
  CHECK(dials(policy, "::ffff:10.1.2.3"));
  CHECK_FALSE(dials(policy, "10.2.0.1"));
  CHECK_FALSE(dials(policy, "fd00::1"));
}

TEST_CASE("a block that would be all of IPv4 and more is refused") {
  PeerPolicy policy;
  for (const char* block : {"::ffff:127.0.0.20/82", "::ffff:10.0.0.0/95", "::ffff:10.0.0.0/8"}) {
    INFO(block);
    const auto added = policy.add(block, 0);
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().kind() == ErrorKind::invalid_params);
  }
  CHECK_FALSE(dials(policy, "10.0.0.1"));
}

}  // namespace agentd::peers
