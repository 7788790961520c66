#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "common/async/loops.hpp"
#include "common/async/owned_count.hpp"
#include "common/vocabulary/home.hpp"
#include "daemon/http/counters.hpp"
#include "daemon/http/policy.hpp"
#include "daemon/http/server.hpp"
#include "daemon/http/travelling_socket.hpp"
#include "daemon/rpc/dispatcher.hpp"

namespace agentd::http {

/// One open connection, as the server sees it. Owned by its loop's table and by its own pending
/// waits; that loop's thread only.
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

/// What all connections of a server at one loop share, and the table that owns them. That loop's thread only,
/// but for what others count together. A connection that has been dropped does not touch it again, so it may
/// be gone before the last wait has ended.
class Connections {
public:
  using Clock = std::chrono::steady_clock;
  using Socket = boost::asio::ip::tcp::socket;

  /// Those of each loop of the server, in the loops' order.
  using All = std::vector<std::unique_ptr<Connections>>;

  Connections(async::Loops& loops, std::size_t index, const All& all, rpc::Dispatcher& the_dispatcher,
              const ServerLimits& the_limits);
  ~Connections();

  void add(std::shared_ptr<Connection> connection);
  /// It has ended.
  void remove(Connection* connection) {
    open_.erase(connection);
    ++ended;
  }
  /// It goes on as another one, here or at another loop.
  void let_go(Connection* connection) { open_.erase(connection); }
  void close_all();

  [[nodiscard]] std::size_t loop_of_caller(std::string_view caller) const {
    return loop_of(home_of(caller), loops_.count());
  }
  /// Goes on with a socket at that loop, now where it is this one: `begin` gets the connections there and the
  /// socket.
  template <typename Begin>
  void go_on_at(std::size_t to, Socket socket, Begin begin) {
    if (to == index_) return begin(*this, std::move(socket));
    loops_.hand_over(index_, to,
                     [&there = *all_[to], socket = TravellingSocket(std::move(socket)),
                      begin = std::move(begin)]() mutable { there.arrived(std::move(socket), begin); });
  }

  enum class Got { bytes, nothing, end, failure };
  /// Reads what is there into the buffer that all connections share, and that nobody keeps over a
  /// return to the loop. Readable beyond what was read.
  Got read(Socket& socket, std::span<char>& bytes);

  async::Loop& loop;
  rpc::Dispatcher& dispatcher;
  const ServerLimits limits;
  Policy policy{PolicySettings{}};
  LoopCounters counters;
  /// Connections that have ended here, wherever they began.
  async::OwnedCount ended;
  /// No more requests are taken.
  bool closing = false;

private:
  template <typename Begin>
  void arrived(TravellingSocket travelling, Begin& begin) {
    Socket socket = travelling.arrive(loop.context());
    if (socket.is_open()) return begin(*this, std::move(socket));
    ++ended;
  }

  [[nodiscard]] std::vector<std::shared_ptr<Connection>> snapshot() const;

  async::Loops& loops_;
  const std::size_t index_;
  const All& all_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> open_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace agentd::http
