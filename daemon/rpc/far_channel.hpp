#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "common/async/loop.hpp"
#include "daemon/rpc/dispatcher.hpp"
#include "daemon/rpc/siblings.hpp"

namespace agentd::rpc {

/// A WebSocket of another loop, as the methods of this shard see it: what is said to it goes there at the end
/// of the turn.
///
/// Made at the connection's shard, and given to this one's with the first request that belongs here. `home`,
/// `end` and `note` are for the connection's thread, all else is for this shard's.
class FarChannel final : public Channel {
public:
  struct Place {
    const Siblings& siblings;
    /// Of the connection, and of who talks to it.
    std::size_t home;
    std::size_t here;
  };

  /// `number` is the connection's, as its own shard counts.
  FarChannel(const Place& place, async::Loop& loop_here, const std::shared_ptr<Channel>& connection,
             std::uint64_t number);

  [[nodiscard]] protocol::Outbox& outbox() override { return outbox_; }
  void sent() override;
  [[nodiscard]] bool closed() const override { return closed_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool full() const override {
    return full_.load(std::memory_order_relaxed) ||
           outbox_.bytes() + on_the_way_.load(std::memory_order_relaxed) > most_on_the_way;
  }
  [[nodiscard]] const std::string& caller() const override { return caller_; }
  void put_frame(std::string frame) override;
  // Nothing is sent on from here.
  void requests_sent(std::size_t) override {}
  void requests_done(std::size_t) override {}
  [[nodiscard]] bool takes_batches() const override { return takes_batches_; }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::size_t home() const { return place_.home; }
  [[nodiscard]] std::size_t here() const { return place_.here; }
  /// The connection is gone.
  void end() { closed_.store(true, std::memory_order_relaxed); }
  /// Requests of so many bytes have been looked at here: the connection may send more.
  void done(std::size_t bytes);
  /// Asks the connection how much waits there.
  void note(const Channel& connection) { full_.store(connection.full(), std::memory_order_relaxed); }
  /// To be looked into at the connection's shard only.
  [[nodiscard]] const std::weak_ptr<Channel>& connection() const { return connection_; }

private:
  /// Of one shard's frames for one connection, before anything large is refused.
  static constexpr std::size_t most_on_the_way = 4U << 20;

  void hand_back();

  const Place place_;
  async::Loop& loop_;
  std::weak_ptr<Channel> connection_;
  const std::uint64_t number_;
  const std::string caller_;
  const bool takes_batches_;
  protocol::Outbox outbox_;
  bool scheduled_ = false;
  std::atomic<bool> closed_{false};
  std::atomic<bool> full_{false};
  /// Bytes that have been handed over and have not come there.
  std::atomic<std::size_t> on_the_way_{0};
};

}  // namespace agentd::rpc
