#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "daemon/rpc/dispatcher.hpp"
#include "daemon/rpc/far_channel.hpp"
#include "daemon/rpc/waits.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::rpc {

/// One WebSocket's interest in calls: brings it `call.settled` and `call.progress`, and answers its
/// requests that wait. Outlives its channel where calls are still watched; then it does nothing. Loop
/// thread only.
class ChannelWatcher : public runtime::Watcher {
public:
  /// Subscribes to a call that is elsewhere.
  using OnMoved = std::function<void(const CallId& call, std::size_t shard)>;

  ChannelWatcher(std::weak_ptr<Channel> channel, std::uint64_t serial, runtime::CallerPtr caller,
                 std::unique_ptr<Waits> waits, OnMoved on_moved)
      : channel_(std::move(channel)),
        serial_(serial),
        caller_(std::move(caller)),
        waits_(std::move(waits)),
        on_moved_(std::move(on_moved)) {}

  void settled(const runtime::Call& call, protocol::SettledMode mode) override;
  void progressed(const runtime::Call& call, std::uint64_t seq, std::string_view value) override;
  void unknown(const CallId& call, const Error& why) override;
  void moved(const CallId& call, std::size_t shard) override {
    if (!gone()) on_moved_(call, shard);
  }
  /// Tells this connection's calls from those of others; never 0.
  [[nodiscard]] std::uint64_t connection() const override { return serial_; }
  [[nodiscard]] bool gone() const override { return !waits_; }

  /// The channel is closed.
  void close() { waits_.reset(); }
  /// @pre not closed
  [[nodiscard]] Waits& waits() { return *waits_; }
  [[nodiscard]] const runtime::CallerPtr& caller() const { return caller_; }
  /// What stands for this connection at the other shards.
  [[nodiscard]] std::vector<std::shared_ptr<FarChannel>>& far() { return far_; }
  [[nodiscard]] const std::shared_ptr<FarChannel::Traffic>& far_traffic() {
    if (!far_traffic_) far_traffic_ = std::make_shared<FarChannel::Traffic>();
    return far_traffic_;
  }
  [[nodiscard]] std::shared_ptr<Channel> channel() const { return channel_.lock(); }

private:
  template <typename AppendParams>
  void notify(std::string_view method, AppendParams append_params);

  std::weak_ptr<Channel> channel_;
  std::uint64_t serial_;
  runtime::CallerPtr caller_;
  /// Null once closed.
  std::unique_ptr<Waits> waits_;
  OnMoved on_moved_;
  /// By the shard; null where nothing has gone there yet.
  std::vector<std::shared_ptr<FarChannel>> far_;
  std::shared_ptr<FarChannel::Traffic> far_traffic_;
};

}  // namespace agentd::rpc
