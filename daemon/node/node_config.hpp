#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <agentd/error.hpp>
#include <agentd/ids.hpp>

namespace agentd {

/// One entry of the peers' list: whom a node may dial.
struct PeerEntry {
  /// A name, an address, or a CIDR block.
  std::string host;
  /// 0: any port. Tokens go only to entries with a port.
  std::uint16_t port = 0;
};

/// All bounds of a node, with their defaults. Bytes unless the name says otherwise.
struct NodeLimits {
  std::uint64_t body = 1U << 20;  // an HTTP body, or a WebSocket message of a client
  std::uint32_t header = 16U << 10;
  std::uint32_t connections = 20'000;     // at once
  std::uint64_t write_queue = 16U << 20;  // per connection
  std::uint32_t mailbox = 10'000;         // calls waiting for one agent
  std::uint32_t agents = 4'000'000;
  std::uint32_t calls = 4'000'000;            // unsettled, in the node
  std::uint64_t outcomes = 1ULL << 30;        // kept outcomes; a quarter of it for one caller
  std::uint64_t input = 16U << 20;            // an input with its placeholders filled in
  std::uint64_t running_inputs = 1ULL << 30;  // such inputs of all calls that run
  std::uint32_t batch = 20'000;               // elements of a JSON-RPC batch
  std::uint32_t waits = 100'000;              // requests with wait_ms; a quarter for one connection
  std::uint32_t expected = 100'000;           // unknown ids that are waited for; a quarter for one connection
  std::uint32_t tombstones = 500'000;         // released ids that are remembered
  std::uint32_t blocked_workers = 256;        // workers that wait for a placeholder
  std::chrono::milliseconds deadline{300'000};  // of a call that names none
  std::chrono::milliseconds outcome_ttl{3'600'000};
  std::chrono::milliseconds header_time{5'000};
  std::chrono::milliseconds idle_time{120'000};  // an HTTP connection between requests
};

/// Everything a node needs to know to start: what the daemon reads from its configuration, and what
/// an embedded server is given.
struct NodeConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 12001;
  /// How others reach this node; host and port of the listener where empty.
  NodeAddress advertise;
  std::vector<PeerEntry> peers;
  /// Empty: no token is asked for.
  std::string token;
  /// Sent to peers; the client token where empty.
  std::string peer_token;
  /// Further names for which `Host` is ours, and origins that may call.
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> allowed_origins;
  bool insecure = false;
  /// Event loops, a thread each; 0: the number of cores.
  unsigned loops = 1;
  /// Worker threads for agents that block; 0: twice the number of cores.
  unsigned workers = 0;
  std::chrono::microseconds spin{0};
  std::chrono::milliseconds grace{10'000};
  NodeLimits limits;
  /// Called for each notification that nobody could be told about, on the loop's thread. May be empty.
  std::function<void(const CallId& call, const Error& why)> on_dropped;
};

}  // namespace agentd
