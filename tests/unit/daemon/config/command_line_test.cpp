#include "daemon/config/command_line.hpp"

#include <catch2/catch.hpp>

#include "daemon/config/keys.hpp"

using agentd::config::CommandLine;
using agentd::config::Config;

namespace {

agentd::Result<CommandLine> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "agentd");
  return agentd::config::parse_command_line(static_cast<int>(words.size()), words.data());
}

std::string error_of(std::vector<const char*> words) {
  const auto command = parse(std::move(words));
  return command ? "" : command.error().message();
}

Config applied(std::vector<const char*> words) {
  const auto command = parse(std::move(words));
  INFO((command ? "" : command.error().message()));
  REQUIRE(command.has_value());
  Config config;
  REQUIRE(agentd::config::apply_flags(*command, config).has_value());
  return config;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("no flags at all: the defaults, to serve") {
  const auto command = parse({});
  REQUIRE(command.has_value());
  CHECK(command->task == CommandLine::Task::serve);
  CHECK(agentd::config::print(applied({})) == agentd::config::print({}));
}

TEST_CASE("every flag sets its key") {
  const Config config = applied({"--host",       "::1",    "--port=0",   "--advertise",
                                 "a:1",          "--peer", "b",          "--peer=[::1]:5",
                                 "--token-file", "/t",     "--plugin",   "/p.so",
                                 "--plugin",     "/q.so",  "--data-dir", "/d",
                                 "--durability", "off",    "--loops",    "1",
                                 "--workers",    "2",      "--spin-us",  "3",
                                 "--log-level",  "warn",   "--insecure"});
  CHECK(config.node.host == "::1");
  CHECK(config.node.port == 0);
  CHECK(config.node.advertise.host == "a");
  REQUIRE(config.node.peers.size() == 2);
  CHECK(config.node.peers[1].port == 5);
  CHECK(config.token_file == "/t");
  CHECK(config.plugins == std::vector<std::string>{"/p.so", "/q.so"});
  CHECK(config.data_dir == "/d");
  CHECK(config.node.workers == 2);
  CHECK(config.node.spin.count() == 3);
  CHECK(config.log_level == agentd::logging::Level::warn);
  CHECK(config.node.insecure);
}

TEST_CASE("a relative path of a flag starts at the working directory") {
  CHECK(applied({"--token-file", "t"}).token_file == (std::filesystem::current_path() / "t").string());
}

TEST_CASE("a flag's list replaces the one before") {
  Config config;
  config.node.peers = {{"old", 1}};
  REQUIRE(agentd::config::apply_flags(*parse({"--peer", "new"}), config).has_value());
  REQUIRE(config.node.peers.size() == 1);
  CHECK(config.node.peers[0].host == "new");
}

TEST_CASE("a bad value is an error that names the flag, the value and what is allowed") {
  CHECK(error_of({"--port", "65536"}) ==
        R"(--port is "65536"; it must be an integer from 0 to 65535 (0 picks a free one))");
  CHECK(contains(error_of({"--port", "x"}), R"(--port is "x")"));
  CHECK(contains(error_of({"--port", ""}), R"(--port is "")"));
  CHECK(contains(error_of({"--port=1x"}), R"(--port is "1x")"));
  CHECK(contains(error_of({"--peer", "a:0"}), R"(--peer is "a:0"; it must be HOST[:PORT] or CIDR)"));
  CHECK(contains(error_of({"--log-level", "loud"}), R"("trace")"));
  CHECK(contains(error_of({"--durability", "maybe"}), "it must be"));
}

TEST_CASE("an unknown flag is an error with the near name") {
  CHECK(contains(error_of({"--prot", "1"}), "there is no flag --prot; did you mean --port?"));
  CHECK(contains(error_of({"--peers=a"}), "did you mean --peer?"));
  CHECK(contains(error_of({"file.json"}), R"("file.json" is not expected here)"));
}

TEST_CASE("a flag without its value is an error") {
  CHECK(error_of({"--port"}) == "--port needs a value; see agentd --help");
  CHECK(error_of({"--peer"}) == "--peer needs a value; see agentd --help");
  CHECK(error_of({"--config"}) == "--config needs a value; see agentd --help");
}

TEST_CASE("a flag that takes one value is given once") {
  CHECK(error_of({"--port", "1", "--port", "2"}) == "--port is given more than once; see agentd --help");
}

TEST_CASE("a flag without a value takes none, so that =false cannot mean true") {
  for (const char* flag : {"--insecure", "--check-config", "--print-config"}) {
    for (const char* value : {"=false", "=0", "=maybe"}) {
      CHECK(error_of({(std::string(flag) + value).c_str()}) ==
            std::string(flag) + " takes no value; see agentd --help");
    }
  }
}

TEST_CASE("there is no flag for a secret") { CHECK_FALSE(error_of({"--token", "0123456789abcdef"}).empty()); }

TEST_CASE("tasks") {
  CHECK(parse({"--check-config"})->task == CommandLine::Task::check);
  CHECK(parse({"--print-config", "--config", "f"})->task == CommandLine::Task::print);
  CHECK(parse({"--print-config", "--config", "f"})->file == "f");
  CHECK_FALSE(parse({"--print-config", "--check-config"}).has_value());
}

TEST_CASE("the version and the help are told") {
  CHECK(parse({"--version"})->text.starts_with("agentd 0."));
  const std::string help = parse({"--help"})->text;
  for (const char* part :
       {"--config", "--host", "--port", "--advertise", "--peer", "--token-file", "--plugin", "--data-dir",
        "--durability", "--loops", "--workers", "--spin-us", "--log-level", "--insecure", "--check-config",
        "--print-config", "--version", "Example", "12001"}) {
    INFO(part);
    CHECK(contains(help, part));
  }
}
