#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <agentd/message.hpp>

#include "common/async/timers.hpp"
#include "common/net/node_link.hpp"
#include "common/vocabulary/cell.hpp"
#include "sdk/src/session.hpp"

namespace agentd::sdk {

class RemoteAgent;

/// One call to an agent on a node, from the moment it is made until its outcome is released.
///
/// Owned by the cell that it settles, and keeps that cell alive until then. Made on any thread;
/// after `Session::hand_over` it belongs to the session's loop, but for what CellSource offers.
/// Destroying it releases the outcome: by then the call has settled, the last message is gone, and
/// no unsettled call depends on it.
class RemoteCall final : public detail::CellSource {
public:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t {
    /// On its way to the loop, or in its agent's lane.
    held,
    sent,
    settled,
  };

  /// What its maker knows of it.
  struct Plan {
    std::string method;
    Message input;
    std::optional<Clock::time_point> deadline;
    /// For a nested call: whose it is, and the agents that it came through.
    std::string caller;
    std::vector<std::string> path;
    /// Takes partial output as text, in place of the cell; null for none.
    std::function<void(std::string_view)> on_progress;
    /// The params without their end, where the input could be written already.
    std::string params;
    /// The input has no part that may have to be waited for, or may fail.
    bool plain = false;
  };

  RemoteCall(Session& session, std::shared_ptr<RemoteAgent> agent, SessionNode& node, const CallId& id,
             Plan plan);
  ~RemoteCall() override;

  // From memory that earlier calls gave back.
  static void* operator new(std::size_t) { return detail::Blocks<sizeof(RemoteCall)>::take(); }
  static void operator delete(void* block) noexcept { detail::Blocks<sizeof(RemoteCall)>::give(block); }

  [[nodiscard]] std::optional<Placeholder> placeholder() const override;
  void fetch(const std::shared_ptr<detail::Cell>& cell) override;
  void cancel(const std::shared_ptr<detail::Cell>& cell) override;
  void wait(detail::Cell& cell, std::optional<Clock::time_point> limit) override;

  [[nodiscard]] const CallId& id() const { return id_; }
  [[nodiscard]] SessionNode& node() const { return node_; }
  [[nodiscard]] RemoteAgent& agent() const { return *agent_; }
  [[nodiscard]] State state() const { return state_.load(std::memory_order_acquire); }

  [[nodiscard]] Plan& plan() { return plan_; }

  /// How long its value may take to come to who reads it now.
  [[nodiscard]] Clock::time_point fetch_until() const;

  // On the loop.

  /// From here on the call keeps its cell alive, until it settles.
  void hold(std::shared_ptr<detail::Cell> cell) { cell_ = std::move(cell); }
  [[nodiscard]] const std::shared_ptr<detail::Cell>& cell() const { return cell_; }
  void send();
  /// Settles it without, or instead of, the node.
  void fail(Error error);
  /// Runs `work` when the call has been sent, or has settled.
  void when_sent(std::function<void()> work) { when_sent_.push_back(std::move(work)); }
  /// Fails the call at its deadline while it is in the lane. @pre state() == held
  void watch_deadline();

private:
  struct DeadlineTimer : async::Timer {
    RemoteCall* call = nullptr;
  };

  void settled(net::Settled outcome);
  void progressed(std::string_view value);
  void finish();
  void run_when_sent();

  Session& session_;
  std::shared_ptr<RemoteAgent> agent_;
  SessionNode& node_;
  CallId id_;
  std::atomic<State> state_{State::held};
  std::atomic<bool> was_sent_{false};
  /// Read when nobody else is there any more.
  bool was_done_ = false;
  std::shared_ptr<detail::Cell> cell_;
  Plan plan_;
  /// The plan's, which is needed for longer, and how long that was from the start.
  std::optional<Clock::time_point> deadline_;
  Clock::duration allowed_{};
  std::vector<std::function<void()>> when_sent_;
  DeadlineTimer deadline_timer_;
};

/// Asks the node for the outcome of a call that has settled there, and waits for it until then. On the loop.
using OnOutcome = std::function<void(Result<detail::MessageData>)>;
void ask_for_outcome(Session& session, SessionNode& node, const CallId& call,
                     std::chrono::steady_clock::time_point until, OnOutcome on_outcome);

/// The call behind a message's cell; null where it is none of a session.
[[nodiscard]] RemoteCall* remote_call_of(const detail::Cell& cell);

}  // namespace agentd::sdk
