#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <agentd/agent.hpp>
#include <agentd/ids.hpp>

#include "common/protocol/result.hpp"
#include "daemon/node/node_config.hpp"

namespace agentd {

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
  /// When the stopping node last failed calls for which its grace is over: it does so a part at a time, and a
  /// million take seconds. Long ago where it has failed none yet.
  [[nodiscard]] std::chrono::steady_clock::time_point last_progress() const;
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
