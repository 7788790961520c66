#pragma once

#include <algorithm>
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

  /// What the shards have for one connection, together.
  struct Traffic {
    /// Bytes that have not come there.
    std::atomic<std::size_t> on_the_way{0};
    /// The connection's, as it last was.
    std::atomic<std::size_t> room{0};
  };

  /// `number` is the connection's, as its own shard counts; `traffic` is common to all its far channels.
  FarChannel(const Place& place, async::Loop& loop_here, const std::shared_ptr<Channel>& connection,
             std::uint64_t number, std::shared_ptr<Traffic> traffic);

  [[nodiscard]] protocol::Outbox& outbox() override { return outbox_; }
  void sent() override;
  [[nodiscard]] bool closed() const override { return closed_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t room() const override {
    const std::size_t room = traffic_->room.load(std::memory_order_relaxed);
    return room - std::min(room, traffic_->on_the_way.load(std::memory_order_relaxed));
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
  /// Asks the connection how much room there is.
  void note(const Channel& connection) { traffic_->room.store(connection.room(), std::memory_order_relaxed); }
  /// To be looked into at the connection's shard only.
  [[nodiscard]] const std::weak_ptr<Channel>& connection() const { return connection_; }

private:
  void count();
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
  const std::shared_ptr<Traffic> traffic_;
  /// Of what is in the outbox.
  std::size_t counted_ = 0;
};

}  // namespace agentd::rpc
