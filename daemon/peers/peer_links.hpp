#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/async/owned_count.hpp"
#include "common/net/node_link.hpp"
#include "daemon/peers/peer_policy.hpp"
#include "daemon/runtime/foreign.hpp"

namespace agentd::peers {

struct PeerSettings {
  PeerPolicy policy;
  /// This node, as its peers name it.
  NodeAddress self;
  /// Sent to peers that are listed with a port; empty for none.
  std::string token;
  /// What the links name as the caller; empty for what the peer gives them.
  std::string caller;
  /// How long a peer that cannot be reached is tried.
  std::chrono::milliseconds give_up_after{3'000};
  /// How many other nodes there may be links to: placeholders come from strangers.
  std::size_t most_links = 4096;
};

/// The outcomes of calls on other nodes, and the calls that agents of this node make there: one
/// connection for each node. Owned by the node; loop thread only, but for what says otherwise.
class PeerLinks : public runtime::ForeignNodes {
public:
  PeerLinks(async::Loop& loop, PeerSettings settings);
  ~PeerLinks() override;

  [[nodiscard]] Interest watch(const Placeholder& placeholder, std::chrono::steady_clock::time_point deadline,
                               OnOutcome on_outcome) override;
  void call(runtime::ForeignCall call, OnOutcome on_outcome, OnProgress on_progress) override;
  void cancel(const Placeholder& placeholder) override;
  void release(const Placeholder& placeholder) override;

  /// Ends all connections; what waits fails with `shutting_down`.
  void stop();

  /// What nodes are sent that have none of their own, from their next connection on.
  void set_token(std::string token);
  /// What that node is sent, in place of the token for all.
  void set_token_of(const NodeAddress& node, const std::string& token);

  // On any thread.
  [[nodiscard]] std::size_t links() const { return open_; }
  /// Of all links there were.
  [[nodiscard]] std::uint64_t bytes_sent() const { return traffic_->sent; }
  [[nodiscard]] std::uint64_t bytes_received() const { return traffic_->received; }

private:
  struct OutgoingCall {
    runtime::ForeignCall call;
    OnOutcome on_outcome;
    OnProgress on_progress;
  };

  /// One whose input can be sent only when it has a value, or that is behind such a one in its lane.
  struct Held {
    OutgoingCall outgoing;
    std::string lane;
    std::list<Held*>::iterator place;
    struct Deadline : async::Timer {
      PeerLinks* links = nullptr;
      Held* held = nullptr;
    } timer;
  };

  /// One who wants the outcome of a call there. With the last one of a call the link waits for it no more.
  struct Interested {
    Interested(PeerLinks& links, Placeholder placeholder, OnOutcome on_outcome);
    ~Interested();
    Interested(const Interested&) = delete;
    Interested& operator=(const Interested&) = delete;

    const std::weak_ptr<PeerLinks*> links;
    const Placeholder placeholder;
    const OnOutcome on_outcome;
  };

  /// Whose outcome is to come until when, and who is told.
  struct Awaited {
    Placeholder placeholder;
    std::chrono::steady_clock::time_point deadline;
    OnOutcome on_outcome;
    /// Where the outcome may be given up: nobody wants it when this has expired.
    std::optional<std::weak_ptr<Interested>> interest;

    [[nodiscard]] bool is_given_up() const { return interest && interest->expired(); }
  };

  /// A call that has settled there, whose value the other node left out since too much waited for the
  /// connection: it is asked for, again and again where it is refused for the same reason.
  struct LeftOut {
    Awaited awaited;
    std::list<LeftOut>::iterator place;
    struct Pause : async::Timer {
      PeerLinks* links = nullptr;
      LeftOut* left_out = nullptr;
    } pause;
  };

  void not_wanted(const Placeholder& placeholder);
  void settled(const Awaited& awaited, net::Settled settled);
  void fetch(LeftOut& left_out);
  void fetched(LeftOut& left_out, const Result<std::string>& answer);

  void send(OutgoingCall outgoing);
  void hold(std::string lane, OutgoingCall outgoing);
  void part_came(const CallId& call);
  void send_ready(const std::string& lane);
  OutgoingCall take(Held& held);
  void fail_held(Held& held, const Error& error);

  [[nodiscard]] Result<std::shared_ptr<net::NodeLink>> link(const NodeAddress& node);
  void make_room();
  void stop_leaving();
  [[nodiscard]] std::string token_for(const NodeAddress& node) const;
  void fail_later(OnOutcome on_outcome, Error error);

  async::Loop& loop_;
  PeerSettings settings_;
  std::map<NodeAddress, std::shared_ptr<net::NodeLink>> links_;
  /// How many these are.
  async::OwnedCount open_;
  std::shared_ptr<net::Traffic> traffic_ = std::make_shared<net::Traffic>();
  /// Those that gave way to others, until the turn's end.
  std::vector<std::pair<NodeAddress, std::shared_ptr<net::NodeLink>>> leaving_;
  std::map<NodeAddress, std::string> tokens_;
  /// How many want the outcome of each call there.
  std::map<NodeAddress, std::unordered_map<CallId, std::size_t>> wanted_;
  std::unordered_map<CallId, std::unique_ptr<Held>> held_;
  /// In the order they were made, by caller and agent.
  std::map<std::string, std::list<Held*>> lanes_;
  std::list<LeftOut> left_out_;
  /// Calls from here that were sent, and have ended otherwise than done, until they are released.
  std::unordered_set<CallId> not_done_;
  bool stopped_ = false;
  /// For callbacks that may come when this has gone.
  std::shared_ptr<PeerLinks*> self_;
};

}  // namespace agentd::peers
