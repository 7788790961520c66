#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "daemon/rpc/json_rpc_dispatcher.hpp"

namespace agentd::rpc {

/// A WebSocket without a socket: what the node sent is in `frames`, and read in `inbox`, in order.
class FakeChannel : public Channel {
public:
  explicit FakeChannel(std::string caller) : caller_(std::move(caller)) {}

  protocol::Outbox& outbox() override { return outbox_; }
  void sent() override {
    while (!outbox_.empty()) {
      const Json frame = Json::parse(frames.emplace_back(outbox_.take()));
      if (frame.is_array()) {
        inbox.insert(inbox.end(), frame.begin(), frame.end());
      } else {
        inbox.push_back(frame);
      }
    }
  }
  void put_frame(std::string frame) override {
    outbox_.put_frame(std::move(frame));
    sent();
  }
  void requests_sent(std::size_t bytes) override { requests_elsewhere += bytes; }
  void requests_done(std::size_t bytes) override { requests_elsewhere -= bytes; }
  [[nodiscard]] bool closed() const override { return is_closed; }
  [[nodiscard]] std::size_t room() const override { return is_full ? 0 : 1U << 20; }
  [[nodiscard]] bool takes_batches() const override { return outbox_.packs(); }
  [[nodiscard]] const std::string& caller() const override { return caller_; }

  /// The params of all `call.settled` so far for that call.
  [[nodiscard]] std::vector<Json> settled(const std::string& call) const;
  /// The answer to the request with that id; null where there is none yet.
  [[nodiscard]] Json answer(int id) const;

  std::vector<std::string> frames;
  std::vector<Json> inbox;
  std::size_t requests_elsewhere = 0;
  bool is_closed = false;
  bool is_full = false;

private:
  std::string caller_;
  protocol::Outbox outbox_;
};

/// A dispatcher over a small node, whose loop the test turns by hand. Beside the built-in types it has
/// `block`, whose method waits on a worker until `open`.
struct World : NodeControl {
  explicit World(const runtime::Limits& limits = {});
  ~World() override;

  void drain() override { runtime->drain(); }
  void stop(std::optional<std::chrono::milliseconds>) override {}
  void dropped(const CallId& call, const Error& why) override {
    dropped_calls.push_back(std::string(call.text()) + ' ' + std::string(kind_name(why.kind())));
  }
  void append_metrics(std::string&) const override {}

  std::shared_ptr<FakeChannel> connect(const std::string& caller = "me") {
    return std::make_shared<FakeChannel>(caller);
  }
  void notify(const std::shared_ptr<FakeChannel>& channel, const std::string& method, const Json& params);
  int request(const std::shared_ptr<FakeChannel>& channel, const std::string& method, const Json& params);
  /// Sends a request and turns the loop until its answer is there.
  Json rpc(const std::shared_ptr<FakeChannel>& channel, const std::string& method, const Json& params);

  void settle();
  bool until(const std::function<bool()>& done);
  /// Lets the methods of `block` end.
  void open();
  /// Whether a method of `block` has begun, within a bound.
  bool begun();

  std::vector<std::string> dropped_calls;
  async::Loop loop;
  runtime::TypeTable types;
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<JsonRpcDispatcher> dispatcher;

private:
  void pass();

  int last_id_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

}  // namespace agentd::rpc
