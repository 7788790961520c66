#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "common/async/loop.hpp"
#include "daemon/http/policy.hpp"
#include "daemon/http/server.hpp"
#include "daemon/rpc/dispatcher.hpp"

namespace agentd::http {

/// One open connection, as the server sees it. Owned by the server's table and by its own pending
/// waits; loop thread only.
class Connection {
public:
  virtual ~Connection() = default;
  /// Finishes what is under way, says goodbye, and is gone within `close_time`.
  virtual void close() = 0;
  /// Gone at once.
  virtual void drop() = 0;
};

/// A timer that knows whose it is.
template <typename Owner>
struct OwnedTimer : async::Timer {
  explicit OwnedTimer(Owner& timer_owner) : owner(timer_owner) {}
  static Owner& owner_of(async::Timer& timer) { return static_cast<OwnedTimer&>(timer).owner; }
  Owner& owner;
};

/// What all connections of a server share, and the table that owns them. A connection that has been
/// dropped does not touch it again, so it may be gone before the last wait has ended.
class Connections {
public:
  using Clock = std::chrono::steady_clock;
  using Socket = boost::asio::ip::tcp::socket;

  Connections(async::Loop& the_loop, rpc::Dispatcher& the_dispatcher, const ServerLimits& the_limits,
              Policy the_policy);
  ~Connections();

  void add(std::shared_ptr<Connection> connection);
  void remove(Connection* connection) { open_.erase(connection); }
  [[nodiscard]] std::size_t count() const { return open_.size(); }
  void close_all();

  enum class Got { bytes, nothing, end, failure };
  /// Reads what is there into the buffer that all connections share, and that nobody keeps over a
  /// return to the loop. Readable beyond what was read.
  Got read(Socket& socket, std::span<char>& bytes);

  async::Loop& loop;
  rpc::Dispatcher& dispatcher;
  const ServerLimits limits;
  Policy policy;
  ServerCounters counters;
  /// No more requests are taken.
  bool closing = false;

private:
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> snapshot() const;

  std::unordered_map<Connection*, std::shared_ptr<Connection>> open_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace agentd::http
