#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <agentd/ids.hpp>

#include "common/async/loops.hpp"
#include "common/protocol/result.hpp"
#include "daemon/http/counters.hpp"
#include "daemon/rpc/dispatcher.hpp"

namespace agentd::http {

/// The bounds of a server and its connections. Bytes unless the name says otherwise.
struct ServerLimits {
  using Milliseconds = std::chrono::milliseconds;

  /// An HTTP body, or a message of a WebSocket client.
  std::size_t body = 1U << 20;
  /// A message of a WebSocket client that takes batches: a node, or a program with the SDK.
  std::size_t batch_message = 2U << 20;
  std::size_t header = 16U << 10;
  std::size_t connections = 20'000;
  /// What waits to be written to one connection; past it, it is dropped.
  std::size_t write_queue = 16U << 20;
  /// While more than this waits to be written to a connection, nothing is read from it.
  std::size_t read_pause = 1U << 20;

  /// From a header's first byte (or the connection's begin) to its end.
  Milliseconds header_time{5'000};
  /// An HTTP connection between requests.
  Milliseconds idle_time{120'000};
  /// A body, or a WebSocket message, may take so long whatever its rate, and must then keep the rate on
  /// average.
  Milliseconds body_grace{5'000};
  std::size_t bytes_per_second = 1024;
  /// How long a write may make no progress; an HTTP answer that takes longer must keep the rate as well.
  Milliseconds write_time{30'000};
  /// How long an HTTP client that has ended its side may wait for an answer.
  Milliseconds half_closed_time{5'000};
  /// How long the other side has for its part of closing.
  Milliseconds close_time{1'000};
  /// A WebSocket that has been silent for so long is sent a ping; dropped after two without an answer.
  Milliseconds ping_interval{15'000};
  /// How long accepting pauses where the system has no descriptors left.
  Milliseconds accept_pause{100};

  unsigned pings_per_second = 100;
  unsigned fragments = 1000;
};

struct ServerSettings {
  /// An address, or a name that is resolved once.
  std::string host = "127.0.0.1";
  /// 0: a free one.
  std::uint16_t port = 0;
  /// How others reach this node; empty where that is the listener's own address. Port 0 stands for
  /// the listener's.
  NodeAddress advertised{};
  /// Empty: none is asked for.
  std::string token{};
  std::vector<std::string> allowed_hosts{};
  std::vector<std::string> allowed_origins{};
  /// Listen beyond loopback without a token.
  bool insecure = false;
  ServerLimits limits{};
};

/// The node's face to the network: listens, speaks HTTP/1.1 and WebSocket, keeps out who does not
/// belong, and hands JSON-RPC texts to the dispatcher.
///
///     http::Server server(loops, {&dispatcher}, {.host = "127.0.0.1", .port = 12001});
///     if (auto listening = server.listen(); !listening) return listening.error();
///
/// It accepts on the first loop, which hands connections to all of them in turn; a WebSocket goes on at the
/// loop of its caller's home. A connection runs on the thread of its loop, with the dispatcher of that one.
/// These functions belong to the first loop's thread (or to the time before it runs), but for what says
/// otherwise; what they do reaches the other loops a moment later.
///
/// Owned by the node; loops and dispatchers outlive it. Destroyed when no other thread turns a loop. That
/// drops what is open; answers that come later are ignored.
class Server {
public:
  /// One dispatcher for each loop, in the loops' order.
  Server(async::Loops& loops, const std::vector<rpc::Dispatcher*>& dispatchers, ServerSettings settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and begins to accept. Fails with `invalid_params` where the settings are unsafe or name no
  /// address, and with `internal` and `details()["errno"]` where the system says no.
  [[nodiscard]] Result<void> listen();
  /// The host as given, with the real port. @pre listen() succeeded
  [[nodiscard]] NodeAddress listening() const;

  /// Takes another token from here on; connections that are open stay.
  void set_token(const std::string& token);

  /// Closes the listening port. What is open stays.
  void stop_accepting();
  /// Says goodbye to all: WebSockets get what waits for them and a close, HTTP connections the answer
  /// they wait for. All are gone after `close_time`, by force if need be. Implies `stop_accepting`.
  void close_all();

  // On any thread. What another loop counts may be missing for a moment.
  /// Open, or on the way from one loop to another.
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] ServerCounters counters() const;

private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace agentd::http
