#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "common/protocol/call_frame.hpp"
#include "common/protocol/envelope.hpp"
#include "daemon/rpc/dispatcher.hpp"
#include "daemon/rpc/methods.hpp"

namespace agentd::rpc {

/// The method table behind the dispatcher's face. Owned by the node; everything it is given outlives
/// it. Loop thread only.
class JsonRpcDispatcher : public Dispatcher {
public:
  JsonRpcDispatcher(runtime::Runtime& runtime, NodeControl& node, NodeFacts facts);

  Interest handle_body(std::string_view body, Answer answer) override;
  void handle_frame(const std::shared_ptr<Channel>& channel, std::string_view frame) override;
  void channel_closed(const Channel& channel) override;
  [[nodiscard]] const std::string& openrpc() const override { return openrpc_; }
  [[nodiscard]] std::string metrics() const override;
  [[nodiscard]] bool ready() const override { return !runtime_.draining(); }
  [[nodiscard]] const std::string& boot() const override { return facts_.boot; }

private:
  template <typename MakeReply>
  void handle(const protocol::Envelope& envelope, const std::shared_ptr<ChannelWatcher>& watcher,
              Waits& waits, bool check_depth, MakeReply make_reply);
  void run(const protocol::Envelope& envelope, Request& request);
  void take(const std::vector<protocol::CallFrame::Notice>& notices,
            const std::shared_ptr<ChannelWatcher>& watcher);
  [[nodiscard]] std::optional<Error> open(protocol::FrameReader& frame, std::string_view text) const;
  std::shared_ptr<ChannelWatcher> watcher_of(const std::shared_ptr<Channel>& channel);

  runtime::Runtime& runtime_;
  NodeControl& node_;
  NodeFacts facts_;
  std::string openrpc_;
  MethodContext context_;
  // Used again for each frame: what they need is allocated once.
  protocol::CallFrame calls_;
  protocol::FrameReader frame_;
  boost::unordered_flat_map<std::string_view, Handler> handlers_;
  boost::unordered_flat_map<const Channel*, std::shared_ptr<ChannelWatcher>> watchers_;
  std::uint64_t next_serial_ = 1;
  /// Requests that wait for calls, of all connections.
  std::shared_ptr<std::size_t> waiting_ = std::make_shared<std::size_t>(0);
};

}  // namespace agentd::rpc
