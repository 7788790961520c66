#pragma once

#include <memory>

#include "daemon/rpc/dispatcher.hpp"
#include "daemon/rpc/reply.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::rpc {

/// One WebSocket's interest in calls: brings it `call.settled` and `call.progress`.
/// Outlives its channel where calls are still watched; then it does nothing. Loop thread only.
class ChannelWatcher : public runtime::Watcher {
public:
  ChannelWatcher(std::weak_ptr<Channel> channel, std::uint64_t serial, runtime::CallerPtr caller)
      : channel_(std::move(channel)), serial_(serial), caller_(std::move(caller)) {}

  void settled(const runtime::Call& call, protocol::SettledMode mode) override;
  void progressed(const runtime::Call& call, std::uint64_t seq, std::string_view value) override;
  void unknown(const CallId& call, const Error& why) override;

  [[nodiscard]] const runtime::CallerPtr& caller() const { return caller_; }
  /// Tells this connection's calls from those of others; never 0.
  [[nodiscard]] std::uint64_t serial() const { return serial_; }

private:
  template <typename AppendParams>
  void notify(std::string_view method, AppendParams append_params);

  std::weak_ptr<Channel> channel_;
  std::uint64_t serial_;
  runtime::CallerPtr caller_;
};

/// A request that waits for a call: answered when it settles, or when the time is over.
class WaitingAnswer : public runtime::Watcher, public std::enable_shared_from_this<WaitingAnswer> {
public:
  enum class Form : std::uint8_t { call, get };

  /// Starts to wait.
  static void start(runtime::Runtime& runtime, const runtime::CallPtr& call, std::chrono::milliseconds wait,
                    Form form, Reply reply);

  WaitingAnswer(runtime::Runtime& runtime, runtime::CallPtr call, Form form, Reply reply);

  void settled(const runtime::Call& call, protocol::SettledMode mode) override;
  void unknown(const CallId& call, const Error& why) override;

private:
  struct Expiry : async::Timer {
    WaitingAnswer* owner = nullptr;
  };
  void time_over();

  runtime::Runtime& runtime_;
  runtime::CallPtr call_;
  Form form_;
  Reply reply_;
  Expiry timer_;
};

/// The answer to `agent.call` (a failed call is an error) or `call.get` as the call stands now.
void answer_call(const runtime::Runtime& runtime, const runtime::Call& call, WaitingAnswer::Form form,
                 bool waited, Reply& reply);

}  // namespace agentd::rpc
