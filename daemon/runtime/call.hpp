#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <agentd/agent.hpp>
#include <agentd/ids.hpp>

#include "common/async/timers.hpp"
#include "common/protocol/params.hpp"
#include "common/protocol/result.hpp"
#include "common/vocabulary/pool.hpp"
#include "daemon/runtime/call_input.hpp"

namespace agentd::runtime {

class RunContext;
class Runtime;
struct HostedAgent;
struct Lane;

template <typename T>
using LoopCounted = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;

enum class CallState : std::uint8_t { waiting, queued, running, done, failed, cancelled };
[[nodiscard]] std::string_view state_name(CallState state);

/// Who makes calls: the unit of ordering, and of the share of the outcome store.
struct Caller : LoopCounted<Caller> {
  explicit Caller(std::string caller) : name(std::move(caller)) {}
  std::string name;
  std::uint64_t outcome_bytes = 0;
};
using CallerPtr = boost::intrusive_ptr<Caller>;

struct Call;

/// Whoever wants to know of a call. Loop thread only.
class Watcher {
public:
  virtual ~Watcher() = default;
  virtual void settled(const Call& call, protocol::SettledMode mode) = 0;
  virtual void progressed(const Call& /*call*/, std::uint64_t /*seq*/, std::string_view /*value*/) {}
  /// The call will never settle here: it is not known, and did not come in time, or was refused.
  virtual void unknown(const CallId& call, const Error& why) = 0;
  /// A call at another shard waits for this one.
  [[nodiscard]] virtual bool waits_elsewhere() const { return false; }
  /// The call is at another shard of this node, which is to be asked there.
  virtual void moved(const CallId& /*call*/, std::size_t /*shard*/) {}
  /// The connection that it speaks for, as in `Call::origin`.
  [[nodiscard]] virtual std::uint64_t connection() const { return 0; }
  /// Nobody is behind it any more: it need not be told.
  [[nodiscard]] virtual bool gone() const { return false; }

  /// Of how many calls that have settled it is still to be told at the end of a turn. The runtime counts.
  std::size_t untold = 0;
};

struct Watch {
  std::shared_ptr<Watcher> watcher;
  protocol::SettledMode mode = protocol::SettledMode::value;
};

/// A request that waits for one call: told once, when that settles, before those who watch. Leaves the
/// call's list with its end. Loop thread only.
class Waiter : public boost::intrusive::list_base_hook<
                   boost::intrusive::link_mode<boost::intrusive::link_mode_type::auto_unlink>> {
public:
  virtual ~Waiter() = default;
  virtual void settled(const Call& call) = 0;
};
using Waiters = boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>>;

/// One invocation of one method of one agent, from its acceptance until it is released or expires;
/// or, with another kind, a step of the agent's life that takes its turn in the mailbox.
/// Made and owned by the runtime; loop thread only.
struct Call final : LoopCounted<Call> {
  enum class Kind : std::uint8_t { call, construct, save };
  using WallClock = std::chrono::system_clock;
  using Done = std::function<void(Result<Json>)>;

  Call();
  ~Call();

  // From memory that earlier calls gave back.
  static void* operator new(std::size_t) { return detail::Blocks<sizeof(Call)>::take(); }
  static void operator delete(void* block) noexcept { detail::Blocks<sizeof(Call)>::give(block); }

  CallId id;
  boost::intrusive_ptr<HostedAgent> agent;
  /// Null: a caller of its own, in no lane.
  CallerPtr caller;
  /// Of the agent's type; null for a step.
  const AgentType::Methods::value_type* method = nullptr;
  CallInput input;
  std::vector<std::string> path;
  std::chrono::steady_clock::time_point deadline;
  /// Order of acceptance.
  std::uint64_t seq = 0;
  /// The connection it came over; 0 for none.
  std::uint64_t origin = 0;
  /// Other connections that made it again.
  std::vector<std::uint64_t> joined_by;
  Kind kind = Kind::call;
  CallState state = CallState::queued;
  bool release_when_settled = false;
  /// The home of its id is another shard.
  bool stray = false;
  /// That shard has not said yet that the id is free; it does not run before.
  bool unclaimed = false;
  /// Who waited for it at its id's home is on the way here.
  bool awaited_at_home = false;
  /// The connection that it came over is, or has been, told of its outcome.
  bool origin_watches = false;

  /// For `construct` and `save`: gets the state, or null.
  Done done;

  WallClock::time_point accepted;
  WallClock::time_point ready;
  WallClock::time_point started;
  WallClock::time_point settled;

  /// Of a call that is done.
  detail::SharedText content;
  detail::SharedText metadata;
  /// Of a failed or cancelled one.
  std::shared_ptr<const Error> error;
  std::uint64_t stored_bytes = 0;
  /// What its input takes while it runs, where that was assembled.
  std::uint64_t assembled_bytes = 0;
  std::uint64_t progress_count = 0;

  struct Dependent {
    boost::intrusive_ptr<Call> call;
    std::size_t slot = 0;
  };
  /// Most calls have one: the connection that they came over.
  boost::container::small_vector<Watch, 1> watches;
  Waiters waiters;
  std::vector<Dependent> dependents;

  std::shared_ptr<RunContext> running;
  /// The call that this one's method waits for, where that is known.
  CallId awaits;

  /// Until settled: the deadline; then: the time to live.
  struct Expiry : async::Timer {
    Runtime* runtime = nullptr;
    Call* call = nullptr;
  };
  Expiry timer;

  // Its place in its lane, or among the calls in none, and in the list of all calls in the order of
  // acceptance.
  Lane* lane = nullptr;
  Call* lane_next = nullptr;
  Call* lane_previous = nullptr;
  Call* next = nullptr;
  Call* previous = nullptr;

  [[nodiscard]] bool is_settled() const { return state >= CallState::done; }
  /// Over that connection, first or again; 0 is none.
  [[nodiscard]] bool was_made_by(std::uint64_t connection) const;
  /// Another call waits for it, here or elsewhere, or behind it in its lane.
  [[nodiscard]] bool is_awaited() const;
  /// As others see it: whether its id is free is no input that it waits for.
  [[nodiscard]] CallState shown_state() const {
    return state == CallState::waiting && input.open() == 0 ? CallState::queued : state;
  }
  /// The outcome as a whole message. @pre state == done
  [[nodiscard]] detail::MessageData message() const;
};
using CallPtr = boost::intrusive_ptr<Call>;

}  // namespace agentd::runtime
