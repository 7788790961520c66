#include <filesystem>

#include <catch2/catch.hpp>

#include "daemon/config/keys.hpp"
#include "daemon/config/load.hpp"

namespace {

using agentd::config::Config;

Config load(const std::filesystem::path& file) {
  agentd::config::CommandLine command;
  command.file = file.string();
  const auto config = agentd::config::load(command);
  INFO((config ? "" : config.error().message()));
  REQUIRE(config.has_value());
  return *config;
}

const std::filesystem::path configs = AGENTD_CONFIGS;

}  // namespace

TEST_CASE("every configuration that we ship loads") {
  unsigned loaded = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(configs)) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path().string());
    load(entry.path());
    ++loaded;
  }
  CHECK(loaded >= 3);
}

TEST_CASE("the configuration that we ship names every key with its default") {
  const Config config = load(configs / "agentd.json");
  // The service has a loop for each core; a program's server, or one that is started by hand, has one.
  Config expected;
  expected.node.loops = 0;
  CHECK(agentd::config::print(config) == agentd::config::print(expected));
  for (const auto& name : agentd::config::names_of(agentd::config::top_keys())) {
    INFO(name);
    CHECK(config.origins.contains(name));
  }
  for (const auto& name : agentd::config::names_of(agentd::config::limit_keys())) {
    INFO(name);
    CHECK(config.origins.contains("limits." + name));
  }
}

TEST_CASE("the two nodes list each other") {
  const Config a = load(configs / "two-nodes" / "a.json");
  const Config b = load(configs / "two-nodes" / "b.json");
  REQUIRE(a.node.peers.size() == 1);
  REQUIRE(b.node.peers.size() == 1);
  CHECK(a.node.peers[0].port == b.node.port);
  CHECK(b.node.peers[0].port == a.node.port);
}
