#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include <agentd/ids.hpp>

#include "common/async/loop.hpp"
#include "common/async/owned_count.hpp"
#include "common/protocol/result.hpp"
#include "common/vocabulary/cell.hpp"

namespace agentd::net {

/// How a call at another node ended.
struct Settled {
  /// The message, or the error. @note meaningless where `elsewhere` is set
  Result<detail::MessageData> outcome = detail::MessageData{};
  /// Done, but the value was too large to be sent unasked: `call.get` brings it.
  bool elsewhere = false;
};

/// Whether an address may be dialled for `node`: the answer is for exactly the address that is dialled.
using AddressCheck = std::function<bool(const NodeAddress& node, const boost::asio::ip::address&)>;

/// Payload bytes of frames, sent and received.
struct Traffic {
  async::OwnedCount sent;
  async::OwnedCount received;
};

struct LinkSettings {
  NodeAddress node;
  /// The caller that the connection speaks for (`/ws?caller=`); empty for none.
  std::string caller;
  /// Sent as `Authorization: Bearer`; empty for none.
  std::string token;
  /// How long a lost or refused connection is tried again before all that waits fails with
  /// `peer_unreachable`; without one, each entry waits until its own deadline. One that was accepted, but
  /// brought no frame that was understood and no answer to a ping, counts as refused.
  std::optional<std::chrono::milliseconds> give_up_after;
  /// Empty: any address may be dialled.
  AddressCheck may_dial;
  /// What the link carries is added here. Links of one loop may share it.
  std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
};

/// The one connection between this program and one node, and all that waits for an answer there.
///
/// Connects when there is something to send, reconnects with backoff, and then sends again what has
/// not settled, with the same ids, so nothing runs twice. A node that answers no ping for 10 s is
/// gone. A node whose boot id changed and that keeps no journal has forgotten its calls: those that
/// were sent before fail with `outcome_unknown`.
///
/// Loop thread only. Owned by a shared pointer, since its operations outlive `stop`. Callbacks run on
/// the loop, never inside the call that registers them, each exactly once, unless unsubscribed: by the
/// entry's deadline plus 1.5 s at the latest.
class NodeLink {
public:
  using Clock = std::chrono::steady_clock;
  using OnSettled = std::function<void(Settled)>;
  using OnProgress = std::function<void(std::string_view value)>;
  using OnResult = std::function<void(Result<std::string>)>;

  static std::shared_ptr<NodeLink> make(async::Loop& loop, LinkSettings settings);
  virtual ~NodeLink() = default;

  /// Sends an `agent.call` notification; `params` is the text of its params without `deadline_ms`,
  /// which is added, at each sending, from what remains: `{"agent":…,"call":…` and no closing brace.
  /// `Clock::time_point::max()` means the node's own default: no deadline is sent, and while there is
  /// no connection the call is kept for 300 s.
  virtual void call(const CallId& call, std::string params, Clock::time_point deadline, OnSettled on_settled,
                    OnProgress on_progress) = 0;
  /// Subscribes to a call made by somebody else.
  virtual void subscribe(const CallId& call, Clock::time_point deadline, OnSettled on_settled,
                         OnProgress on_progress) = 0;
  /// Nobody waits for the subscriptions to that call any more: they are not called back, but for what is
  /// being delivered just now. The node itself is not told, and may still send the outcome.
  virtual void unsubscribe(const CallId& call) = 0;
  /// A request; sent again after a reconnect, so the method must be idempotent.
  virtual void request(std::string_view method, std::string params, Clock::time_point deadline,
                       OnResult on_result) = 0;
  /// A notification that is not waited for; dropped where there is no connection.
  virtual void notify(std::string_view method, std::string params) = 0;
  /// Another token, from the next connection on; empty for none.
  virtual void set_token(const std::string& /*token*/) {}
  /// Releases an outcome; many go as one. That of a call that `was_done` may overtake what still waits to be
  /// sent; where the call failed, was cancelled, or has not settled, it stays behind that.
  virtual void release(const CallId& call, bool was_done) = 0;

  /// It has been tried, and never was there a connection that brought anything.
  [[nodiscard]] virtual bool unreached() const { return false; }
  /// How many entries wait.
  [[nodiscard]] virtual std::size_t waiting() const = 0;
  /// Whether everything that waits has been handed to the network.
  [[nodiscard]] virtual bool all_written() const { return true; }
  /// What its `Traffic` says.
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;

  /// Writes what waits in the outbox, then closes. Whatever waits fails with `why`. No callback comes
  /// after that.
  virtual void stop(const Error& why) = 0;
};

}  // namespace agentd::net
