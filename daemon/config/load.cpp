#include "daemon/config/load.hpp"

#include <filesystem>

#include "daemon/config/address.hpp"
#include "daemon/config/file.hpp"
#include "daemon/config/token.hpp"

namespace agentd::config {
namespace {

namespace fs = std::filesystem;

Error refuse(std::string message) { return {ErrorKind::invalid_params, std::move(message)}; }

Result<void> apply_named_file(const std::string& name, Config& config) {
  if (name.empty()) return {};
  const auto source = Source::read(name);
  if (!source) return source.error();
  return apply_file(*source, fs::absolute(name).parent_path(), config);
}

Result<void> check_exposure(const Config& config) {
  const Reach reach = reach_of(config.node.host);
  if (reach == Reach::loopback) return {};
  const std::string subject = config.subject("host") + " is \"" + config.node.host + "\", ";
  if (reach == Reach::wildcard && config.node.advertise.host.empty()) {
    return refuse(subject +
                  "every address of this machine; set advertise to the one that other nodes can reach, "
                  "such as --advertise 10.0.0.2");
  }
  if (config.token_file.empty() && !config.node.insecure) {
    return refuse(subject +
                  "which others can reach; set token_file (--token-file FILE), or say --insecure to let "
                  "everybody in");
  }
  return {};
}

Result<void> read_into(const std::string& file, std::string& token) {
  if (file.empty()) return {};
  auto read = read_token(file);
  if (!read) return read.error();
  token = std::move(*read);
  return {};
}

}  // namespace

Result<void> check_rules(const Config& config) {
  if (config.durable) {
    return refuse(config.subject("durability") +
                  " is \"on\", but this release keeps nothing on disk; the only value is \"off\"");
  }
  return check_exposure(config);
}

Result<Config> load(const CommandLine& command) {
  Config config;
  if (const auto done = apply_named_file(command.file, config); !done) return done.error();
  if (const auto done = apply_flags(command, config); !done) return done.error();
  if (config.token_file.empty()) config.token_file = token_credential();
  if (const auto done = check_rules(config); !done) return done.error();
  return config;
}

Result<void> read_tokens(Config& config) {
  if (const auto done = read_into(config.token_file, config.node.token); !done) return done;
  return read_into(config.peer_token_file, config.node.peer_token);
}

}  // namespace agentd::config
