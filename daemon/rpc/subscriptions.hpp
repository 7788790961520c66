#pragma once

#include <memory>

#include "daemon/rpc/dispatcher.hpp"
#include "daemon/rpc/waits.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::rpc {

/// One WebSocket's interest in calls: brings it `call.settled` and `call.progress`, and answers its
/// requests that wait. Outlives its channel where calls are still watched; then it does nothing. Loop
/// thread only.
class ChannelWatcher : public runtime::Watcher {
public:
  ChannelWatcher(std::weak_ptr<Channel> channel, std::uint64_t serial, runtime::CallerPtr caller,
                 std::unique_ptr<Waits> waits)
      : channel_(std::move(channel)), serial_(serial), caller_(std::move(caller)), waits_(std::move(waits)) {}

  void settled(const runtime::Call& call, protocol::SettledMode mode) override;
  void progressed(const runtime::Call& call, std::uint64_t seq, std::string_view value) override;
  void unknown(const CallId& call, const Error& why) override;
  /// Tells this connection's calls from those of others; never 0.
  [[nodiscard]] std::uint64_t connection() const override { return serial_; }
  [[nodiscard]] bool gone() const override { return !waits_; }

  /// The channel is closed.
  void close() { waits_.reset(); }
  /// @pre not closed
  [[nodiscard]] Waits& waits() { return *waits_; }
  [[nodiscard]] const runtime::CallerPtr& caller() const { return caller_; }

private:
  template <typename AppendParams>
  void notify(std::string_view method, AppendParams append_params);

  std::weak_ptr<Channel> channel_;
  std::uint64_t serial_;
  runtime::CallerPtr caller_;
  /// Null once closed.
  std::unique_ptr<Waits> waits_;
};

}  // namespace agentd::rpc
