#include "daemon/node/settings.hpp"

#include <algorithm>
#include <thread>

#include "common/vocabulary/letters.hpp"

namespace agentd {
namespace {

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::" || host == "[::]"; }

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

Result<void> check(const NodeConfig& config) {
  if (!is_wildcard(config.host) || !config.advertise.host.empty()) return {};
  return Error(ErrorKind::invalid_params,
               "host " + config.host +
                   " listens on every address, but which of them others should use is "
                   "not known: set advertise (--advertise HOST[:PORT])");
}

std::size_t loop_count(const NodeConfig& config) {
  return config.loops > 0 ? config.loops : std::max(1U, std::thread::hardware_concurrency());
}

http::ServerSettings server_settings(const NodeConfig& config) {
  http::ServerSettings settings;
  settings.host = config.host;
  settings.port = config.port;
  settings.advertised = config.advertise;
  settings.token = config.token;
  settings.allowed_hosts = config.allowed_hosts;
  settings.allowed_origins = config.allowed_origins;
  settings.insecure = config.insecure;
  settings.limits.body = config.limits.body;
  settings.limits.batch_message =
      std::max<std::size_t>(settings.limits.batch_message, 2 * config.limits.body);
  settings.limits.header = config.limits.header;
  settings.limits.connections = config.limits.connections;
  settings.limits.write_queue = config.limits.write_queue;
  settings.limits.header_time = config.limits.header_time;
  settings.limits.idle_time = config.limits.idle_time;
  return settings;
}

NodeAddress advertised_address(const NodeConfig& config, const NodeAddress& listening) {
  if (config.advertise.host.empty()) return listening;
  // As placeholders are read: host names are the same in either case.
  return {detail::lower_case(config.advertise.host),
          config.advertise.port == 0 ? listening.port : config.advertise.port};
}

runtime::RuntimeSettings runtime_settings(const NodeConfig& config, const NodeAddress& listening) {
  runtime::RuntimeSettings settings;
  settings.self = advertised_address(config, listening);
  settings.aliases = {listening};
  if (is_wildcard(config.host) || is_loopback(config.host)) {
    for (const char* host : {"localhost", "127.0.0.1", "::1"})
      settings.aliases.push_back({host, listening.port});
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  settings.workers = config.workers > 0 ? config.workers : 2 * cores;
  const NodeLimits& limits = config.limits;
  settings.limits.agents = limits.agents;
  settings.limits.calls = limits.calls;
  settings.limits.mailbox = limits.mailbox;
  settings.limits.outcomes = limits.outcomes;
  settings.limits.input = limits.input;
  settings.limits.running_inputs = limits.running_inputs;
  settings.limits.batch = limits.batch;
  settings.limits.waits = limits.waits;
  settings.limits.expected = limits.expected;
  settings.limits.tombstones = limits.tombstones;
  settings.limits.blocked_workers = limits.blocked_workers;
  settings.limits.deadline = limits.deadline;
  settings.limits.outcome_ttl = limits.outcome_ttl;
  return settings;
}

Result<peers::PeerSettings> peer_settings(const NodeConfig& config, const NodeAddress& self) {
  peers::PeerSettings settings;
  for (const PeerEntry& peer : config.peers) {
    if (auto added = settings.policy.add(peer.host, peer.port); !added) return added.error();
  }
  settings.self = self;
  settings.token = config.peer_token.empty() ? config.token : config.peer_token;
  return settings;
}

}  // namespace agentd
