#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "common/protocol/call_frame.hpp"
#include "common/protocol/envelope.hpp"
#include "daemon/rpc/dispatcher.hpp"
#include "daemon/rpc/far_requests.hpp"
#include "daemon/rpc/methods.hpp"

namespace agentd::rpc {

/// The method table behind the dispatcher's face. Owned by the node; everything it is given outlives
/// it. Loop thread only.
class JsonRpcDispatcher : public Dispatcher {
public:
  /// `siblings` are those of the node's other loops, of which this becomes one; null where there is no other.
  JsonRpcDispatcher(runtime::Runtime& runtime, NodeControl& node, NodeFacts facts,
                    Siblings* siblings = nullptr);

  Interest handle_body(std::string_view body, Answer answer) override;
  void handle_frame(const std::shared_ptr<Channel>& channel, std::string_view frame) override;
  void channel_closed(const Channel& channel) override;
  [[nodiscard]] const std::string& openrpc() const override { return openrpc_; }
  [[nodiscard]] std::string metrics() const override;
  [[nodiscard]] bool ready() const override { return !runtime_.draining(); }
  [[nodiscard]] const std::string& boot() const override { return facts_.boot; }

  // From connections of other loops.

  [[nodiscard]] MethodContext& context() { return context_; }
  void take_far(const std::shared_ptr<FarChannel>& channel, std::vector<FarNotice>& notices);
  void run_far(const std::shared_ptr<FarChannel>& channel, const FarRequest& request);
  /// `answer` gets the text, or nothing where there is none to be said: at this shard, and once. `interest`
  /// is null where the request does not wait.
  void run_far_body(const FarRequest& request, FarInterest* interest, const BodyAnswers::Bytes& bytes,
                    Answer answer);
  void subscribe_far(const std::shared_ptr<FarChannel>& channel, const std::vector<CallId>& calls,
                     std::chrono::milliseconds grace);
  void far_closed(const FarChannel& channel) { channel_closed(channel); }

private:
  [[nodiscard]] std::optional<std::size_t> elsewhere(const protocol::Envelope& envelope) const;
  void send_far(std::size_t shard, FarRequest request, ChannelWatcher& watcher);
  void send_far_body(std::size_t shard, FarRequest request, const std::shared_ptr<BodyAnswers>& answers,
                     FarInterests& interests);
  /// A call that this connection waits for is at `shard`, and not where it was looked for.
  void subscribe_again(const std::shared_ptr<Channel>& channel, const CallId& call, std::size_t shard);
  void subscribe_moved(const std::shared_ptr<Channel>& channel, const CallId& call);
  void run(std::string_view method, Request& request);
  template <typename MakeReply>
  void handle(const protocol::Envelope& envelope, const std::shared_ptr<ChannelWatcher>& watcher,
              Waits& waits, bool check_depth, MakeReply make_reply);
  void take(const std::vector<protocol::CallFrame::Notice>& notices,
            const std::shared_ptr<ChannelWatcher>& watcher);
  void take_here(const protocol::CallNotice& notice, const std::shared_ptr<ChannelWatcher>& watcher);
  void take_by_shard(const std::vector<protocol::CallFrame::Notice>& notices,
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
  /// Each shard takes numbers that the others do not.
  std::uint64_t next_serial_;
  /// Of requests that cannot wait.
  Waits no_waits_;
};

}  // namespace agentd::rpc
