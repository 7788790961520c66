#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include <agentd/ids.hpp>

#include "common/async/loop.hpp"
#include "common/net/node_link.hpp"
#include "common/protocol/result.hpp"
#include "sdk/src/loop_driver.hpp"

namespace agentd::sdk {

class RemoteAgent;
class RemoteCall;

/// A node that this program talks to. Made once, and kept. A launched server is one of its own: who gets
/// its port after its end is another.
struct SessionNode {
  NodeAddress address;
  /// Other machines cannot reach it.
  bool loopback = false;
  /// Loop thread only; made when it is first needed.
  std::shared_ptr<net::NodeLink> link;
  /// It has ended for good.
  std::atomic<bool> lost{false};
};

/// This program as a caller: one loop, one connection to each node, one caller id.
///
/// Made when it is first needed, and never destroyed: messages may outlive `main`. At exit, what was
/// handed over is still written, for a second at most. Thread-safe where not said otherwise. A
/// process that forks without `exec` has no session in the child.
class Session {
public:
  static Session& instance();

  /// The latest node at that address, which may be lost.
  [[nodiscard]] SessionNode& node(const NodeAddress& address);
  /// As `node`, for whoever says that a server is there now: a lost one is followed by another.
  SessionNode& running_node(const NodeAddress& address);
  /// A server that was just started there, whoever had the address before.
  SessionNode& new_node(const NodeAddress& address);
  /// The one proxy for that agent at the latest node there, while somebody holds it.
  [[nodiscard]] std::shared_ptr<RemoteAgent> agent(const AgentAddress& address);
  /// That agent's proxy is gone.
  void forget(const RemoteAgent& agent);
  [[nodiscard]] const std::string& caller() const { return caller_; }
  /// What the connection to that node shows as its token, from the next connection on.
  void set_token(const NodeAddress& node, const std::string& token);
  /// The token that holds for that node; empty for none.
  [[nodiscard]] std::string token(const NodeAddress& node);
  [[nodiscard]] std::map<NodeAddress, std::string> tokens();
  /// Who else is told that a node's token was set, on the thread that sets it: which holds is asked of
  /// `token`, since another thread may set the next one meanwhile. One at most.
  using OnToken = std::function<void(const NodeAddress& node)>;
  void when_token_is_set(OnToken told);

  /// Takes a call to its agent's lane. Calls leave in the order handed over; many wake the loop once.
  void hand_over(RemoteCall& call);
  /// The outcome is no longer needed, as `NodeLink` takes it. Never wakes the loop more than every 20 ms.
  void release(SessionNode& node, const CallId& call, bool was_done);
  void post(async::Loop::Work work);
  /// Waits until the cell is readable, or until `limit`; the thread may turn the loop meanwhile.
  void wait(detail::Cell& cell, std::optional<async::Loop::Clock::time_point> limit) {
    driver_.wait(cell, limit);
  }
  [[nodiscard]] bool on_loop() const { return driver_.on_loop(); }
  /// What the loop will answer; not on the loop's thread.
  template <typename T>
  [[nodiscard]] T wait_for(std::future<T> answer) {
    driver_.take_back();
    return answer.get();
  }

  /// A request that is waited for. Tries to reach the node for 10 s, and then waits 300 s for the
  /// answer, asking again with the same params: the method must be idempotent.
  /// Throws `std::logic_error` on an event loop, which waiting would stop.
  [[nodiscard]] Result<std::string> ask(SessionNode& node, std::string_view method,
                                        const std::string& params);

  /// Many of these at once, answered in that order, in 300 s together.
  [[nodiscard]] std::vector<Result<std::string>> ask_all(SessionNode& node, std::string_view method,
                                                         std::vector<std::string> params);

  /// Loop thread only.
  [[nodiscard]] async::Loop& loop() { return loop_; }
  [[nodiscard]] net::NodeLink& link(SessionNode& node);

private:
  struct Release {
    SessionNode* node;
    CallId call;
    bool was_done;
  };
  struct HashOfAddress {
    using is_transparent = void;
    std::size_t operator()(const AgentAddress& address) const;
    std::size_t operator()(const RemoteAgent* agent) const;
  };
  struct SameAddress {
    using is_transparent = void;
    bool operator()(const RemoteAgent* a, const RemoteAgent* b) const;
    bool operator()(const AgentAddress& address, const RemoteAgent* agent) const;
    bool operator()(const RemoteAgent* agent, const AgentAddress& address) const;
  };
  struct ReleaseTimer : async::Timer {
    Session* session = nullptr;
  };

  Session();
  void ensure_running();
  SessionNode& add_node(const NodeAddress& address);
  void drain();
  void release_soon();
  void send_releases();
  [[nodiscard]] bool something_waits() const;
  [[nodiscard]] std::vector<Result<std::string>> ask_once(SessionNode& node, std::string_view method,
                                                          std::vector<std::string> params);
  void check_may_wait(std::string_view method) const;
  void write_what_was_handed_over();
  [[nodiscard]] bool all_written() const;

  const std::string caller_;
  async::Loop loop_;
  LoopDriver driver_;
  std::once_flag started_;
  std::atomic<bool> running_{false};

  std::mutex directory_mutex_;
  std::vector<std::unique_ptr<SessionNode>> all_nodes_;
  /// The latest at each address.
  std::map<NodeAddress, SessionNode*> nodes_;
  /// Each takes itself out as it goes.
  boost::unordered_flat_set<RemoteAgent*, HashOfAddress, SameAddress> agents_;
  std::map<NodeAddress, std::string> tokens_;
  OnToken on_token_;

  std::mutex inbox_mutex_;
  std::vector<RemoteCall*> inbox_;
  std::vector<Release> releases_;
  bool drain_scheduled_ = false;
  bool release_scheduled_ = false;
  ReleaseTimer release_timer_;

  // Loop thread only.
  std::vector<RemoteCall*> draining_;
  std::vector<Release> releasing_;
  /// Kept when a node gets another: they are looked at together.
  std::vector<std::shared_ptr<net::NodeLink>> links_;
};

}  // namespace agentd::sdk
