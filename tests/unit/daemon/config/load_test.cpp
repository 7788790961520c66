#include "daemon/config/load.hpp"

#include <cstdlib>

#include <catch2/catch.hpp>

#include "tests/unit/daemon/config/scratch.hpp"

using agentd::config::CommandLine;
using agentd::config::Config;

namespace {

agentd::Result<Config> load(std::vector<std::string> words) {
  std::vector<const char*> argv = {"agentd"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  const auto command = agentd::config::parse_command_line(static_cast<int>(argv.size()), argv.data());
  INFO((command ? "" : command.error().message()));
  REQUIRE(command.has_value());
  return agentd::config::load(*command);
}

std::string error_of(std::vector<std::string> words) {
  const auto config = load(std::move(words));
  return config ? "" : config.error().message();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("flags win over the file, and the file over the defaults") {
  const Scratch scratch;
  const std::string file = scratch.file("c.json", R"({"port": 1, "workers": 7, "peers": ["a", "b"]})");
  const auto config = load({"--config", file, "--port", "2"});
  REQUIRE(config.has_value());
  CHECK(config->node.port == 2);
  CHECK(config->node.workers == 7);
  CHECK(config->node.peers.size() == 2);
  CHECK(config->node.host == "127.0.0.1");
}

TEST_CASE("a file's relative paths start at the file") {
  const Scratch scratch;
  const auto config = load({"--config", scratch.file("c.json", R"({"token_file": "sub/../t"})")});
  REQUIRE(config.has_value());
  CHECK(config->token_file == (scratch.path() / "t").string());
}

TEST_CASE("listening beyond loopback needs a token or --insecure") {
  CHECK(contains(error_of({"--host", "10.0.0.1"}), "token_file"));
  CHECK(contains(error_of({"--host", "name.example.org"}), "--insecure"));
  CHECK(error_of({"--host", "10.0.0.1", "--insecure"}).empty());
  CHECK(error_of({"--host", "10.0.0.1", "--token-file", "/t"}).empty());
  CHECK(error_of({"--host", "127.0.0.2"}).empty());
  CHECK(error_of({"--host", "localhost"}).empty());
}

TEST_CASE("listening on every address needs one to advertise, even with --insecure") {
  CHECK(contains(error_of({"--host", "0.0.0.0", "--insecure"}), "--advertise"));
  CHECK(contains(error_of({"--host", "::", "--token-file", "/t"}), "--advertise"));
  CHECK(error_of({"--host", "0.0.0.0", "--advertise", "10.0.0.2", "--insecure"}).empty());
  CHECK(contains(error_of({"--host", "0.0.0.0", "--advertise", "10.0.0.2"}), "token_file"));
}

TEST_CASE("a rule that a file breaks is told with its place") {
  const Scratch scratch;
  const std::string file = scratch.file("c.json", "{\n  \"host\": \"10.0.0.1\"\n}");
  CHECK(error_of({"--config", file}).starts_with(file + ":2:11: \"host\" is \"10.0.0.1\""));
  CHECK(error_of({"--config", file, "--host", "10.0.0.2"}).starts_with("--host is \"10.0.0.2\""));
}

TEST_CASE("what this release cannot do is refused") {
  CHECK(contains(error_of({"--durability", "on"}), "this release"));
}

TEST_CASE("systemd's credential is the token where no file is named") {
  const Scratch scratch;
  const std::string file = scratch.file("token", "0123456789abcdef", 0400);
  setenv("CREDENTIALS_DIRECTORY", scratch.path().c_str(), 1);
  auto config = load({"--host", "10.0.0.1"});
  const auto named = load({"--host", "10.0.0.1", "--token-file", "/t"});
  unsetenv("CREDENTIALS_DIRECTORY");
  REQUIRE(config.has_value());
  CHECK(config->token_file == file);
  REQUIRE(agentd::config::read_tokens(*config).has_value());
  CHECK(config->node.token == "0123456789abcdef");
  CHECK(named->token_file == "/t");
}

TEST_CASE("clients and peers can have separate tokens") {
  const Scratch scratch;
  scratch.file("client", "0123456789abcdef");
  scratch.file("peer", "fedcba9876543210");
  auto config =
      load({"--config", scratch.file("c.json", R"({"token_file": "client", "peer_token_file": "peer"})")});
  REQUIRE(config.has_value());
  CHECK(config->node.token.empty());
  REQUIRE(agentd::config::read_tokens(*config).has_value());
  CHECK(config->node.token == "0123456789abcdef");
  CHECK(config->node.peer_token == "fedcba9876543210");
}
