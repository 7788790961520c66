#include "daemon/config/file.hpp"

#include <catch2/catch.hpp>

#include "daemon/config/keys.hpp"

using agentd::config::Config;
using agentd::config::Source;
using namespace std::chrono_literals;

namespace {

Config read(const std::string& text) {
  Config config;
  const auto source = Source::from_text("f.json", text);
  REQUIRE(source.has_value());
  const auto done = agentd::config::apply_file(*source, "/etc/agentd", config);
  INFO((done ? "" : done.error().message()));
  REQUIRE(done.has_value());
  return config;
}

std::string error_of(const std::string& text) {
  Config config;
  const auto source = Source::from_text("f.json", text);
  REQUIRE(source.has_value());
  const auto done = agentd::config::apply_file(*source, "/etc/agentd", config);
  return done ? "" : done.error().message();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an empty object is a configuration") {
  CHECK(agentd::config::print(read("{}")) == agentd::config::print({}));
}

TEST_CASE("every key is read") {
  const Config config = read(R"({
    "host": "10.0.0.1", "port": 0, "advertise": "[fd00::1]:7", "peers": ["a", "10.0.0.0/8:5"],
    "token_file": "token", "peer_token_file": "/run/peer", "allowed_hosts": ["agents.example.org"],
    "allowed_origins": ["https://example.org:8443"], "insecure": true, "plugins": ["p/a.so", "/b.so"],
    "data_dir": "data", "durability": "off", "loops": 1, "workers": 3, "spin_us": 50, "grace_ms": 5,
    "log_level": "debug",
    "limits": { "body": 2048, "header": 2048, "connections": 1, "write_queue": 65536, "mailbox": 2, "agents": 3,
      "calls": 4, "outcomes": 1048576, "expected": 5, "tombstones": 0, "blocked_workers": 6, "deadline_ms": 7,
      "outcome_ttl_ms": 8, "header_time_ms": 10, "idle_time_ms": 11 } })");
  CHECK(config.node.host == "10.0.0.1");
  CHECK(config.node.port == 0);
  CHECK(config.node.advertise == agentd::NodeAddress{"fd00::1", 7});
  REQUIRE(config.node.peers.size() == 2);
  CHECK(config.node.peers[1].host == "10.0.0.0/8");
  CHECK(config.node.peers[1].port == 5);
  CHECK(config.token_file == "/etc/agentd/token");
  CHECK(config.peer_token_file == "/run/peer");
  CHECK(config.node.allowed_hosts == std::vector<std::string>{"agents.example.org"});
  CHECK(config.node.allowed_origins == std::vector<std::string>{"https://example.org:8443"});
  CHECK(config.node.insecure);
  CHECK(config.plugins == std::vector<std::string>{"/etc/agentd/p/a.so", "/b.so"});
  CHECK(config.data_dir == "/etc/agentd/data");
  CHECK_FALSE(config.durable);
  CHECK(config.node.workers == 3);
  CHECK(config.node.spin == 50us);
  CHECK(config.node.grace == 5ms);
  CHECK(config.log_level == agentd::logging::Level::debug);
  const agentd::NodeLimits& limits = config.node.limits;
  CHECK(limits.body == 2048);
  CHECK(limits.header == 2048);
  CHECK(limits.connections == 1);
  CHECK(limits.write_queue == 65536);
  CHECK(limits.mailbox == 2);
  CHECK(limits.agents == 3);
  CHECK(limits.calls == 4);
  CHECK(limits.outcomes == 1048576);
  CHECK(limits.expected == 5);
  CHECK(limits.tombstones == 0);
  CHECK(limits.blocked_workers == 6);
  CHECK(limits.deadline == 7ms);
  CHECK(limits.outcome_ttl == 8ms);
  CHECK(limits.header_time == 10ms);
  CHECK(limits.idle_time == 11ms);
}

TEST_CASE("an unknown key is an error with place, value and the near name") {
  const std::string error = error_of("{\n  // the port\n  \"prot\": 1\n}");
  CHECK(error.starts_with(
      R"(f.json:3:3: there is no key "prot"; did you mean "port"? The keys here are host, )"));
  CHECK(contains(error, "limits"));
  CHECK(contains(error_of(R"({"spin-us": 1})"), R"(did you mean "spin_us"?)"));
  CHECK(contains(error_of(R"({"token": "x"})"), R"(did you mean "token_file"?)"));
  CHECK(contains(error_of(R"({"limits": {"dead_line_ms": 1}})"), R"(did you mean "limits.deadline_ms"?)"));
  CHECK_FALSE(contains(error_of(R"({"colour": 1})"), "did you mean"));
}

TEST_CASE("a key in the wrong object is told where it belongs") {
  CHECK(contains(error_of(R"({"mailbox": 1})"), R"(it belongs inside "limits")"));
  CHECK(contains(error_of(R"({"limits": {"port": 1}})"), R"(it belongs outside "limits")"));
}

TEST_CASE("a value of the wrong type is an error with place, value and what is allowed") {
  CHECK(error_of("{\n \"port\": \"12001\"}") ==
        R"(f.json:2:10: "port" is "12001"; it must be an integer from 0 to 65535 (0 picks a free one))");
  CHECK(contains(error_of(R"({"port": 1.5})"), R"("port" is 1.5;)"));
  CHECK(contains(error_of(R"({"port": 1e2})"), R"("port" is 1e2;)"));
  CHECK(contains(error_of(R"({"port": true})"), R"("port" is true;)"));
  CHECK(contains(error_of(R"({"port": null})"), R"("port" is null;)"));
  CHECK(contains(error_of(R"({"port": [1]})"), R"("port" is [1];)"));
  CHECK(contains(error_of(R"({"host": 1})"), R"("host" is 1; it must be an address)"));
  CHECK(contains(error_of(R"({"insecure": "yes"})"), "it must be true or false"));
  CHECK(contains(error_of(R"({"insecure": 1})"), "it must be true or false"));
  CHECK(contains(error_of(R"({"peers": "a"})"), R"("peers" is "a"; it must be a list, each element HOST)"));
  CHECK(contains(error_of(R"({"limits": 1})"), R"("limits" is 1; it must be an object)"));
}

TEST_CASE("a value out of range is an error that says the range") {
  CHECK(contains(error_of(R"({"port": 65536})"), "from 0 to 65535"));
  CHECK(contains(error_of(R"({"port": -1})"), "from 0 to 65535"));
  CHECK(contains(error_of(R"({"port": 99999999999999999999999})"), "from 0 to 65535"));
  CHECK(contains(error_of(R"({"limits": {"body": 0}})"),
                 R"("limits.body" is 0; it must be an integer from 1024)"));
  CHECK(error_of(R"({"limits": {"deadline_ms": 10000000000}})").empty());
  CHECK(contains(error_of(R"({"limits": {"deadline_ms": 10000000001}})"), "from 1 to 10000000000"));
  CHECK(error_of(R"({"loops": 0})").empty());
  CHECK(contains(error_of(R"({"loops": 1025})"), "from 0 to 1024"));
  CHECK(contains(error_of(R"({"log_level": "loud"})"), R"("trace", "debug")"));
  CHECK(contains(error_of(R"({"durability": "maybe"})"), R"(it must be "off")"));
}

TEST_CASE("a bad element of a list is named by its place") {
  CHECK(error_of(R"({"peers": ["a:1",
  "b:0"]})")
            .starts_with(R"(f.json:2:3: "peers[1]" is "b:0"; it must be HOST[:PORT] or CIDR)"));
  CHECK(contains(error_of(R"({"peers": [1]})"), R"("peers[0]" is 1)"));
  CHECK(contains(error_of(R"({"allowed_origins": ["example.org"]})"),
                 R"("allowed_origins[0]" is "example.org"; it must be an origin such as)"));
  CHECK(contains(error_of(R"({"allowed_origins": ["https://example.org/x"]})"), "it must be an origin"));
  CHECK(contains(error_of(R"({"allowed_hosts": ["a:1"]})"), "without a port"));
}

TEST_CASE("a key that is given twice is an error, even spelled with escapes") {
  CHECK(error_of("{\"port\": 1,\n \"port\": 2}") ==
        R"(f.json:2:2: the key "port" is given twice (here as 2); keep one)");
  CHECK(contains(error_of(R"({"port": 1, "p\u006frt": 1})"), "given twice"));
  CHECK(contains(error_of(R"({"limits": {"body": 2048, "body": 2048}})"), R"("limits.body" is given twice)"));
  CHECK(contains(error_of(R"({"limits": {}, "limits": {}})"), R"("limits" is given twice)"));
}

TEST_CASE("a configuration is an object") {
  CHECK(error_of("[]").starts_with("f.json:1:1: a configuration is one JSON object"));
  CHECK(error_of("  1").starts_with("f.json:1:3: a configuration is one JSON object"));
}

TEST_CASE("a long value is cut in the error") {
  CHECK(error_of(R"({"port": ")" + std::string(5000, 'x') + "\"}").size() < 300);
}

TEST_CASE("a wildcard is nothing to advertise") {
  CHECK(contains(error_of(R"({"advertise": "0.0.0.0"})"), "that others can reach"));
}

TEST_CASE("what is printed can be loaded again, and prints the same") {
  const Config config = read(R"({"host": "::1", "advertise": "[fd00::1]:7", "peers": ["[fd00::/8]:1"],
    "token_file": "t", "plugins": ["a.so"], "allowed_origins": ["http://x"], "log_level": "off",
    "limits": {"body": 4096}})");
  const std::string printed = agentd::config::print(config);
  CHECK(agentd::config::print(read(printed)) == printed);
  CHECK(agentd::config::print(read(agentd::config::print({}))) == agentd::config::print({}));
}

TEST_CASE("no secret is printed") {
  Config config;
  config.node.token = "a-secret-of-some-length";
  config.node.peer_token = "a-secret-of-some-length";
  CHECK_FALSE(contains(agentd::config::print(config), "a-secret"));
}
