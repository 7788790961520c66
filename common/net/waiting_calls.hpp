#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_map.hpp>

#include <agentd/error.hpp>
#include <agentd/ids.hpp>

#include "common/async/timers.hpp"
#include "common/net/node_link.hpp"
#include "common/net/ws_client.hpp"
#include "common/protocol/done_frame.hpp"
#include "common/protocol/envelope.hpp"
#include "common/protocol/outbox.hpp"
#include "common/protocol/params.hpp"

namespace agentd::net {

/// Everything that waits for one node, and what is to be said to it: now, after a reconnect, and when
/// the node has started anew. Knows no socket: its owner tells it what happens, and writes what stands
/// in its outbox.
///
///     waiting.call(id, params, deadline, on_settled, on_progress);
///     waiting.opened(greeting);                  // what was held back is in the outbox now
///     waiting.received(frame);                   // on_settled was called
///
/// Keeps the order in which entries were made, also when it sends them again. One thread.
class WaitingCalls {
public:
  using Clock = std::chrono::steady_clock;

  /// The time, and who wakes an entry at its deadline. Outlives the entries.
  class Clockwork {
  public:
    [[nodiscard]] virtual Clock::time_point now() const = 0;
    virtual void start(async::Timer& timer, Clock::time_point when, async::Timer::Callback callback) = 0;

  protected:
    ~Clockwork() = default;
  };

  WaitingCalls(const NodeAddress& node, Clockwork& clockwork);
  WaitingCalls(const WaitingCalls&) = delete;
  WaitingCalls& operator=(const WaitingCalls&) = delete;

  /// As in `NodeLink`.
  void call(const CallId& call, std::string params, Clock::time_point deadline,
            NodeLink::OnSettled on_settled, NodeLink::OnProgress on_progress);
  void subscribe(const CallId& call, Clock::time_point deadline, NodeLink::OnSettled on_settled,
                 NodeLink::OnProgress on_progress);
  void unsubscribe(const CallId& call);
  void request(std::string_view method, std::string_view params, Clock::time_point deadline,
               NodeLink::OnResult on_result);
  void notify(std::string_view method, std::string_view params);
  void release(const CallId& call, bool was_done);

  /// There is a connection: sends what has not settled, in order. Calls that were sent to a node that
  /// has forgotten them fail with `outcome_unknown`.
  void opened(const Greeting& greeting);
  /// There is none, or no more.
  void closed(const Error& why);
  /// False where the frame is no JSON.
  [[nodiscard]] bool received(std::string_view frame);
  /// Fails everything that waits.
  void fail_all(const Error& why);

  /// Puts into the outbox what is collected over a turn: subscriptions and releases.
  void end_turn();
  /// What is to be written next. Where much waits, releases of calls that were done go before it: a node
  /// keeps only so many outcomes for one caller.
  [[nodiscard]] protocol::Outbox& outbox() { return ahead_.empty() ? outbox_ : ahead_; }
  [[nodiscard]] const protocol::Outbox& outbox() const { return ahead_.empty() ? outbox_ : ahead_; }

  [[nodiscard]] std::size_t waiting() const { return calls_.size() + requests_.size(); }

  /// How long after an entry's deadline the node may still answer before the entry fails here.
  static constexpr std::chrono::milliseconds slack{1500};
  /// How long a call without a deadline is kept while there is no connection: the node's own default
  /// deadline, as far as we know it.
  static constexpr std::chrono::seconds unconnected_limit{300};

private:
  enum class Kind : std::uint8_t { call, subscription, request };

  struct Entry : async::Timer {
    WaitingCalls* owner = nullptr;
    Entry* previous = nullptr;
    Entry* next = nullptr;
    Kind kind = Kind::call;
    bool sent = false;
    bool overdue = false;
    bool has_deadline = true;
    /// Its key; null for a request.
    const CallId* call = nullptr;
    std::uint64_t request = 0;
    Clock::time_point deadline;
    /// A call's params without their end, or a request's whole text.
    std::string text;
    NodeLink::OnSettled on_settled;
    NodeLink::OnProgress on_progress;
    NodeLink::OnResult on_result;
    std::optional<std::uint64_t> last_progress;
  };
  using Calls = boost::unordered_multimap<CallId, Entry, std::hash<CallId>, std::equal_to<CallId>,
                                          detail::PoolAllocator<std::pair<const CallId, Entry>>>;
  using Requests = std::unordered_map<std::uint64_t, Entry>;

  Entry& new_entry(const CallId& call);
  void append(Entry& entry, Kind kind, Clock::time_point deadline);
  void unlink(Entry& entry);
  void send(Entry& entry);
  void send_call(const Entry& entry);
  void send_releases();
  static void send_releases(std::vector<CallId>& calls, protocol::Outbox& outbox);
  [[nodiscard]] static protocol::Outbox new_outbox();
  void send_subscriptions(const std::vector<CallId>& calls, std::chrono::milliseconds grace);
  [[nodiscard]] std::chrono::milliseconds remaining(const Entry& entry) const;

  void answered(const protocol::Envelope& answer);
  void subscriptions_answered(std::uint64_t request, const protocol::Envelope& answer);
  /// `outcome()` is asked for where somebody waits for the call.
  template <typename Outcome>
  void settled(const CallId& call, const Outcome& outcome);
  [[nodiscard]] Settled outcome_of(const protocol::SettledNotice& notice, const json::Ends* ends) const;
  void progressed(const protocol::ProgressNotice& notice);
  void settle_all(const CallId& call, Settled settled, std::optional<Kind> only = {});

  static void expired(async::Timer& timer);
  void expire(Entry& entry);
  void fail(Entry& entry, const Error& why);
  [[nodiscard]] Error overdue_error(const Entry& entry) const;

  std::string node_;
  Clockwork& clockwork_;
  protocol::Outbox outbox_;
  protocol::Outbox ahead_;
  // Used again for each frame.
  protocol::DoneFrame done_;
  protocol::FrameReader frame_;
  bool open_ = false;
  std::string boot_;
  std::optional<Error> last_failure_;
  Clock::time_point lost_at_;
  std::uint64_t last_request_ = 0;

  Calls calls_;
  Requests requests_;
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;

  std::vector<CallId> subscribing_;
  std::chrono::milliseconds subscribing_grace_{0};
  std::vector<CallId> releases_of_done_;
  /// Those of all others stay behind what was said before. Such a call may stand in the outbox itself; or the
  /// node has refused it, and takes its release for leave to run the calls behind it.
  std::vector<CallId> other_releases_;
  /// The subscriptions that a request on this connection asked for.
  std::unordered_map<std::uint64_t, std::vector<CallId>> subscribe_requests_;
};

}  // namespace agentd::net
