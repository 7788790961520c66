#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <agentd/ids.hpp>
#include <agentd/json.hpp>

namespace agentd {

/// What an agent server needs to know. All is optional.
struct AgentServerConfig {
  /// Where given, one agent of this type is there from the start.
  std::string type = {};
  Json args = Json::object();
  /// That agent's id; minted where empty.
  std::string id = {};
  std::string host = "127.0.0.1";
  /// 0 takes a free one: see `port()`.
  std::uint16_t port = 12001;
  /// How others reach it, `HOST[:PORT]`; needed where `host` is a wildcard.
  std::string advertise = {};
  /// Whom it may dial for a placeholder: `HOST|CIDR[:PORT]`. Loopback it always may.
  std::vector<std::string> peers = {};
  /// What callers must show, 16 to 4096 visible ASCII characters; empty asks for none, which a server beyond
  /// loopback refuses unless `insecure` says that it is meant.
  std::string token = {};
  bool insecure = false;
  /// Event loops, a thread each, over which agents and connections are spread; 0: the number of cores.
  unsigned loops = 1;
  /// Threads for agents that block; 0: twice the number of cores.
  unsigned workers = 0;
};

/// A node inside this program: the embedded form of the daemon. It hosts the built-in types and every
/// type linked into the program.
///
///     agentd::AgentServer server{{.type = "Writer", .host = "10.0.0.2", .port = 12001}};
///     server.launch();
///     server.wait_until_terminate();
///
/// Serves on threads of its own. All functions are thread-safe; the destructor shuts down.
class AgentServer {
public:
  explicit AgentServer(AgentServerConfig config);
  ~AgentServer();
  AgentServer(const AgentServer&) = delete;
  AgentServer& operator=(const AgentServer&) = delete;

  /// Binds the port, makes the agent, and serves. Throws `Error`: `conflict` where the port is taken,
  /// `invalid_params` where it cannot be had or the configuration is unsafe or wrong, or why the agent could
  /// not be made. Throws `std::logic_error` where it was launched before.
  void launch();

  /// The real port, and how others reach it. Throw `std::logic_error` before it was launched.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] NodeAddress address() const;
  /// The agent that `type` asked for; empty where there is none. @pre launched
  [[nodiscard]] AgentAddress agent() const;

  /// Admits no new calls, lets running ones finish within `grace`, fails the rest, and ends. Does nothing
  /// before it was launched.
  void shutdown(std::chrono::milliseconds grace = std::chrono::seconds(10));

  /// Returns when the server has ended: on SIGTERM or SIGINT, after `shutdown()` elsewhere, or when
  /// it was told so from outside (`node.stop`). The signals' handlers are put back then. Several threads may
  /// wait. Throws `std::logic_error` before it was launched, and while another server of this program is
  /// waited for.
  void wait_until_terminate();

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace agentd
