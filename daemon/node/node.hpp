#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <agentd/agent.hpp>
#include <agentd/ids.hpp>

#include "common/protocol/result.hpp"

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
  unsigned loops = 1;
  /// Worker threads for agents that block; 0: twice the number of cores.
  unsigned workers = 0;
  std::chrono::microseconds spin{0};
  std::chrono::milliseconds grace{10'000};
  NodeLimits limits;
  /// Called for each notification that nobody could be told about, on the loop's thread. May be empty.
  std::function<void(const CallId& call, const Error& why)> on_dropped;
};

/// One running node: the loop, the agents, the connections. Owns everything that a daemon or an
/// embedded server is made of, and starts and stops it in order.
///
/// `start` binds the port and begins to serve on a thread of its own. All functions are thread-safe.
class Node {
public:
  explicit Node(NodeConfig config);
  /// Stops at once where `stop` was not called.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Adds a type. @pre not started
  void add_type(AgentType type);

  /// Binds and serves. Fails with the reason and the address where the port cannot be had
  /// (`details()["errno"]` has the number), or where the configuration is unsafe
  /// (`invalid_params`).
  [[nodiscard]] Result<void> start();

  /// How others reach it, with the real port. @pre started
  [[nodiscard]] NodeAddress address() const;
  /// Where it listens, with the real port. @pre started
  [[nodiscard]] NodeAddress listening() const;

  /// Creates an agent from inside the program. Waits for it. @pre started
  [[nodiscard]] Result<AgentAddress> create(const std::string& type, const std::string& id, const Json& args);

  /// Not ready any more; admits no new calls.
  void drain();
  /// Drains, lets running calls finish within the grace period, fails the rest, and stops serving.
  void stop(std::chrono::milliseconds grace);
  /// `told` is called on the loop's thread when the node begins to stop, with the grace period that it
  /// has from then on: once, at the next turn where it has begun already. @pre started
  void when_stopping(std::function<void(std::chrono::milliseconds grace)> told);
  /// Waits until the node has stopped: by `stop`, or by `node.stop` from outside.
  void wait();

  /// Whether the event loop still takes its turns: asks it, and waits at most that long. What a
  /// watchdog wants to know.
  [[nodiscard]] bool answers(std::chrono::milliseconds limit) const;

  /// Takes another token from here on; connections that are open stay.
  void set_token(std::string token);
  /// What that node is sent as a token, from the next connection on, wherever it is listed. @pre started
  void set_token_of(const NodeAddress& node, std::string token);

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace agentd
