#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "common/async/loop.hpp"
#include "common/protocol/params.hpp"
#include "daemon/runtime/call.hpp"
#include "daemon/runtime/call_request.hpp"
#include "daemon/runtime/directory.hpp"
#include "daemon/runtime/foreign.hpp"
#include "daemon/runtime/hosted_agent.hpp"
#include "daemon/runtime/limits.hpp"
#include "daemon/runtime/run_context.hpp"
#include "daemon/runtime/runtime_settings.hpp"
#include "daemon/runtime/sequence.hpp"
#include "daemon/runtime/shards.hpp"
#include "daemon/runtime/tally.hpp"
#include "daemon/runtime/tombstones.hpp"
#include "daemon/runtime/type_table.hpp"
#include "daemon/runtime/worker_pool.hpp"

namespace agentd::runtime {

/// The agents of one node and the calls to them: lanes, deadlines, placeholders, outcomes. Knows no
/// socket: outcomes of other nodes come through ForeignNodes, and who asks is a Watcher.
///
/// Everything happens on one loop's thread; methods that may block run on the worker pool and come
/// back through the gate. Nothing runs from inside a call made to the runtime: what became ready
/// runs at the end of the turn. Owned by the node, which calls `close` on the loop's thread before
/// it goes.
class Runtime {
public:
  using Clock = std::chrono::steady_clock;
  using OnCreated = std::function<void(Result<AgentPtr>)>;

  /// All references outlive the runtime; `foreign` may be null: then there are no other nodes.
  Runtime(async::Loop& loop, const TypeTable& types, ForeignNodes* foreign, RuntimeSettings settings);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Agents.

  /// Calls back when the agent is made, on a worker where its type may block, or with
  /// `deadline_exceeded` where the node's default deadline passes first: then it is gone. The agent takes
  /// calls from here on; they wait until it is made.
  void create(protocol::AgentCreateParams params, OnCreated on_created);
  /// A copy with the state that a call at this place in the caller's lane would see.
  void clone(std::string_view agent, std::string as, const CallerPtr& caller, OnCreated on_created);
  /// What makes such a copy, perhaps at another shard.
  void create_copy(protocol::AgentCreateParams params, OnCreated on_created);
  using OnCopied = std::function<void(Result<protocol::AgentCreateParams>)>;
  void copy(std::string_view agent, std::string as, const CallerPtr& caller, OnCopied on_copied);
  /// The agent's `save()`, when it can be had: not while a worker runs a method. Answers the step that
  /// waits for it, or null where `done` has been called.
  CallPtr save(HostedAgent& agent, Call::Done done);
  /// Nobody waits for the step any more; `done` is not called where it has not begun.
  void drop_step(Call& step);
  [[nodiscard]] Result<void> remove(std::string_view agent);
  /// Fails with `agent_not_found`.
  [[nodiscard]] Result<HostedAgent*> find_agent(std::string_view id) const;
  [[nodiscard]] std::size_t agents() const { return agents_.size(); }
  /// In the order of creation, the first whose `seq` is larger; `agent->next` is the one after.
  [[nodiscard]] HostedAgent* agent_after(std::uint64_t seq) const { return agents_in_order_.after(seq); }

  // Calls.

  /// Accepts a call (its parts are moved from), joins the one that it repeats, or refuses it: then
  /// nothing was queued.
  [[nodiscard]] Result<CallPtr> accept(CallRequest& request);
  /// The id is about to be accepted or released: its place in memory may be fetched meanwhile.
  void announce(const CallId& id) const { tombstones_.announce(id); }
  /// The call is refused. `remember`: for whoever asks for that id, as of a notification. Where the refusal
  /// can be retried, further calls of its caller to the agent are refused with it.
  void refuse(const CallRequest& request, const Error& why, bool remember);
  /// Whether a call of that id, made here, has its home at another shard.
  [[nodiscard]] bool is_stray(const CallId& id) const {
    return settings_.shards && !settings_.shards->is_at_home(id, settings_.shard);
  }
  /// Calls back, later, with whether there is a call at the home of that id which connection `origin` has
  /// made: one that was refused here is not the one to be told of then.
  /// @pre is_stray(id)
  void ask_home_of_refused(const CallId& id, std::uint64_t origin, std::function<void(bool)> told);
  /// Tells the watcher of the call's outcome and progress; of an outcome that is there, at the turn's end.
  void watch(Call& call, std::shared_ptr<Watcher> watcher, protocol::SettledMode mode);
  /// Takes back a watch. False where there is none, as after it was told.
  bool stop_watching(Call& call, const Watcher& watcher);
  /// As `watch`; an id that is not known is waited for, `grace` at most. The watcher is told `overloaded`
  /// where it has yet to be told of too many.
  void watch_id(const CallId& id, std::shared_ptr<Watcher> watcher, std::chrono::milliseconds grace);
  /// Ends the wait of this watcher for an id that is not known.
  void stop_waiting(const CallId& id, const Watcher& watcher);
  /// Ends all of them: nobody is behind the watcher any more.
  void stop_waiting(const Watcher& watcher);
  /// Fails with `call_not_found`.
  [[nodiscard]] Result<CallPtr> find_call(const CallId& id);
  CallState cancel(Call& call);
  /// Why the id of a call that was accepted is not free after all.
  struct ClaimRefusal {
    Error why;
    /// The call whose id it is came over the same connection.
    bool same_connection = false;
  };
  using OnClaimed = std::function<void(Call& call, const ClaimRefusal* refused)>;
  /// Calls back when it is known whether the id is free, also where the call has settled, or is forgotten,
  /// by then. Where it is not free, the call fails and is forgotten after that.
  /// @pre call.unclaimed
  void when_claimed(Call& call, OnClaimed told);
  /// Whether there was something to release.
  bool release(const CallId& id);
  /// Retained calls in the order of acceptance, the first whose `seq` is larger; `call->next` is the one
  /// after.
  [[nodiscard]] Call* call_after(std::uint64_t seq) const { return calls_in_order_.after(seq); }

  [[nodiscard]] CallerPtr caller(std::string_view name);

  // The node.

  /// Admits no new calls but those that running ones make.
  void drain() {
    if (settings_.shards) return settings_.shards->drain();
    draining_ = true;
  }
  [[nodiscard]] bool draining() const {
    return draining_ || (settings_.shards && settings_.shards->draining());
  }
  /// Fails what has not settled with `shutting_down`, running calls too. Looks at `most` calls; answers
  /// false where there are others, at which the next time begins. From the first time on no method and no
  /// step begins: what has its turn, or whose input settles, fails likewise.
  bool fail_unsettled(std::size_t most = std::numeric_limits<std::size_t>::max());
  /// Whether there is something to be run, or to be told, in a turn to come.
  [[nodiscard]] bool has_work() const {
    return !scheduled_.empty() || !resolutions_.empty() || !finished_.empty() || !tellings_.empty();
  }
  /// Calls whose method has not returned, settled for their callers or not.
  [[nodiscard]] std::size_t running() const { return tally_.running; }
  /// Of these, the ones that have not settled.
  [[nodiscard]] std::size_t running_unsettled() const { return tally_.running_unsettled; }
  [[nodiscard]] std::size_t unsettled() const { return tally_.unsettled; }
  [[nodiscard]] std::size_t settled() const { return calls_.size() - tally_.unsettled; }
  [[nodiscard]] std::uint64_t outcome_bytes() const { return tally_.outcome_bytes; }
  void count_dropped() { ++tally_.dropped; }
  /// Requests that wait for calls: `rpc` counts them.
  void count_waits(std::int64_t more) { tally_.waits += static_cast<std::uint64_t>(more); }
  /// Of this runtime. Any thread.
  [[nodiscard]] const Tally& tally() const { return tally_; }
  /// Of the node's other runtimes, as they were when this turn began to ask.
  [[nodiscard]] const Totals& others() const;
  /// Of the node.
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] const Limits& limits() const { return settings_.limits; }
  [[nodiscard]] const NodeAddress& self() const { return settings_.self; }
  [[nodiscard]] const TypeTable& types() const { return types_; }
  [[nodiscard]] async::Loop& loop() const { return loop_; }
  [[nodiscard]] bool is_self(const NodeAddress& node) const;
  /// Whether an agent of this node with that id is, or would be, in this runtime.
  [[nodiscard]] bool is_here(std::string_view agent) const {
    return !settings_.shards || settings_.shards->of_agent(agent) == settings_.shard;
  }
  [[nodiscard]] bool is_here(const CallId& call) const {
    return !settings_.shards || settings_.shards->of_call(call) == settings_.shard;
  }
  [[nodiscard]] const std::shared_ptr<RuntimeGate>& gate() const { return gate_; }
  [[nodiscard]] WorkerPool& workers() { return *workers_; }
  /// Null where this is the node's only runtime.
  [[nodiscard]] Shards* shards() const { return settings_.shards; }
  [[nodiscard]] std::size_t shard() const { return settings_.shard; }
  [[nodiscard]] bool closed() const { return closed_; }

  /// Drops everything and waits for workers until `until`; answers whether none is left behind.
  bool close(Clock::time_point until);

  // For running calls.

  struct NestedCall {
    AgentAddress agent;
    std::string method;
    Message input;
    CallId call;
    std::shared_ptr<detail::Cell> cell;
    std::string caller;
    std::vector<std::string> path;
    Clock::time_point deadline;
  };
  /// A call that an agent of this node makes.
  void call_nested(NestedCall call);
  /// A call from this very program, outside any agent: `caller` orders it.
  void call_local(NestedCall call);
  void cancel_nested(const Placeholder& call);
  void release_nested(const Placeholder& call);
  void report_progress(const CallId& id, const std::string& value);
  /// The method of `id` waits for the call `other`.
  void note_wait(const CallId& id, const CallId& other);

  // For the node's other runtimes.

  /// A search for what a call waits for, which may lead back to it from shard to shard.
  struct CircleProbe {
    /// Where the call is that may wait for itself.
    std::size_t shard = 0;
    CallId call;
    std::uint64_t seq = 0;
    std::string message;
    /// The agents through which it waits, so far.
    std::vector<std::string> way;
    /// How many more times it may go on.
    std::size_t left = 0;
  };
  void probe_circle(const CallId& id, CircleProbe probe);
  void circle_found(const CircleProbe& probe);
  /// That call waits, as of now, for `other`, which is at another shard.
  void now_waits(const CallId& id, std::uint64_t seq, const CallId& other);
  /// The method of a call at another shard waits for that call.
  void look_for_circle(const CallId& id);
  /// The slot of a call that is here has settled elsewhere. After that call the same id may name another one,
  /// whose `seq` is another too.
  void input_came(const CallId& id, std::uint64_t seq, std::size_t slot, Outcome outcome);
  /// A call whose id has its home here has come to `shard`: is the id free?
  void claim(const CallId& id, std::size_t shard, std::uint64_t seq, std::uint64_t origin);
  /// The answer, at that shard.
  /// `awaited`: who waited for it there is sent here.
  void claim_answered(const CallId& id, std::uint64_t seq, const std::optional<ClaimRefusal>& refused,
                      bool awaited);
  /// That call of `shard` has been forgotten.
  void unclaim(const CallId& id, std::size_t shard);
  void expected_fails(const CallId& id, const Error& why);

  /// Back from a worker, or from a coroutine's end.
  void finish(const CallPtr& call, Result<Message> result);

private:
  using LaneKey = std::pair<const HostedAgent*, const Caller*>;

  /// An id that somebody waits for, and that has not been seen yet.
  struct Expected {
    Runtime* runtime = nullptr;
    CallId id;
    template <typename Who>
    struct Waiting {
      Who who;
      Clock::time_point until;
    };
    /// Each once.
    std::vector<Waiting<std::shared_ptr<Watcher>>> watchers;
    std::vector<Waiting<Call::Dependent>> dependents;
    /// When the first of them has waited long enough.
    Clock::time_point until;
    struct Expiry : async::Timer {
      Expected* owner = nullptr;
    } timer;
  };
  struct Refusal;
  /// The refused calls of one caller to one agent, in the order in which they came: only the first may
  /// be sent again. Never empty.
  using RefusedLane = std::list<Refusal*>;
  /// A call that was refused: what its id gets until it is sent again.
  struct Refusal {
    Runtime* runtime = nullptr;
    CallId id;
    Error why{ErrorKind::overloaded, ""};
    /// The lane that it holds; null for none. Held, so that no other agent or caller takes their place
    /// in memory.
    AgentPtr agent;
    CallerPtr caller;
    RefusedLane::iterator place;
    bool answers = false;
    /// Of an id whose home is here: the shard where the call holds a lane.
    std::optional<std::size_t> lane_at;
    struct Expiry : async::Timer {
      Refusal* owner = nullptr;
    } timer;
  };

  // agents
  /// Those of the agent made before, where they are the same; null where nothing is set.
  std::shared_ptr<const HostedAgent::Settings> shared_settings(HostedAgent::Settings settings);
  AgentPtr add_agent(protocol::AgentCreateParams& params, const AgentType& type);
  [[nodiscard]] Result<void> check_new_agent(const protocol::AgentCreateParams& params) const;
  void forget_agent(HostedAgent& agent);
  void gone(HostedAgent& agent);
  [[nodiscard]] Error deleted_error(const HostedAgent& agent) const;
  [[nodiscard]] std::vector<AgentPtr> busy_agents() const;
  void forget_running();
  /// The agent is gone for everybody; what is in its mailbox fails.
  void retire(const AgentPtr& agent, const Error& why);
  void construct(const AgentPtr& agent, OnCreated on_created);
  /// What those get who wait for it to be made.
  Result<AgentPtr> made_or_not(const AgentPtr& agent, const Result<Json>& made);
  void not_made_in_time(Call& step);
  CallPtr add_step(HostedAgent& agent, Call::Kind kind, const CallerPtr& caller, bool first, Call::Done done);

  // acceptance
  [[nodiscard]] Error used_elsewhere(const CallId& id) const;
  [[nodiscard]] Result<CallPtr> join(Call& call, const CallRequest& request) const;
  struct Admitted {
    HostedAgent* agent = nullptr;
    const AgentType::Methods::value_type* method = nullptr;
  };
  [[nodiscard]] Result<Admitted> admit(const CallRequest& request);
  [[nodiscard]] Result<void> check_bounds(const CallRequest& request, const HostedAgent& agent) const;
  [[nodiscard]] Result<void> check_mailbox(const HostedAgent& agent) const;
  /// Fails where refused calls of that caller hold the lane, and `id` is not the first of them.
  [[nodiscard]] Result<void> check_lane(const HostedAgent& agent, const CallerPtr& caller,
                                        const CallId& id) const;
  /// Fails the call with `cycle` where it waits for itself.
  void fail_in_circle(Call& call, std::string_view message);
  void go_on_probing(const Call& from, CircleProbe probe);
  [[nodiscard]] Result<void> check_path(const CallRequest& request) const;
  [[nodiscard]] Result<void> check_input(const CallRequest& request) const;
  CallPtr open(CallRequest& request, const Admitted& admitted);
  void start_deadline(Call& call, Clock::time_point deadline);
  void resolve_inputs(const CallPtr& call);
  void resolve_local(const CallPtr& call, std::size_t slot, const CallId& id);
  void resolve_foreign(const CallPtr& call, std::size_t slot, const Placeholder& placeholder);
  void resolve_cell(const CallPtr& call, std::size_t slot, const std::shared_ptr<detail::Cell>& cell);
  void input_settled(const CallPtr& call, std::size_t slot, Outcome outcome);
  /// At once where that is here.
  template <typename Work>
  void at_shard_of(const CallId& id, Work work) {
    if (is_here(id)) return work(*this);
    settings_.shards->at(settings_.shard, settings_.shards->of_call(id), std::move(work));
  }
  void resolve_sibling(const CallPtr& call, std::size_t slot, const CallId& id);
  /// It may run when its turn comes, where nothing is missing.
  void ready_if_complete(const CallPtr& call);
  void ask_claim(const Call& call);
  void claim_refused(Call& call, const Error& why);
  /// Whoever waited for that id at its home waits at `shard`.
  void move_expected(const CallId& id, std::size_t shard);
  /// What the home of an id is told where a call of that id was refused at another shard.
  struct StrayRefusal {
    Error why;
    bool answers = false;
    std::optional<std::size_t> lane_at;
    Clock::duration ttl{};
  };
  void stray_refused(const CallId& id, const StrayRefusal& refusal);
  /// There is nothing here of that id any more.
  void strays_no_more(const CallId& id);
  [[nodiscard]] std::size_t home_shard(const CallId& id) const { return settings_.shards->of(id.home()); }

  // running
  void schedule(HostedAgent& agent);
  void schedule_pump();
  void pump();
  void resolve_next();
  /// Answers how many bytes were assembled for it.
  std::size_t start_next(HostedAgent& agent);
  /// In place of that where the node fails what has not settled.
  std::size_t fail_next(HostedAgent& agent);
  void run(const CallPtr& call);
  void run_method(const CallPtr& call);
  /// Sets memory aside for the input of a call that is about to run.
  [[nodiscard]] Result<void> reserve_input(Call& call);
  void run_step(const CallPtr& call);
  struct StepResult {
    std::unique_ptr<Agent> made;
    Result<Json> state = Json();
  };
  void step_finished(const CallPtr& call, StepResult& result);
  void finished(const CallPtr& call, Result<Message>& result);
  void settle_with(const CallPtr& call, const Message& message);
  void settle_done(Call& call, detail::SharedText content, detail::SharedText metadata);
  void settle_failed(Call& call, Error error, CallState state = CallState::failed);
  void settle(Call& call, CallState state);
  void agent_idle(const CallPtr& call);
  void deadline_passed(Call& call);

  // outcomes
  void forget(Call& call, bool expired);
  void forget_at(Call& call, Clock::time_point when);
  /// It has settled and been released: forgets it, as soon as nobody can be on the way to it.
  void forget_released(Call& call);
  /// As `forget`, and its id may be used again.
  void drop(Call& call);
  void tell(Call& call);
  /// Fails where too many outcomes wait to be told, to that watcher or in the node.
  [[nodiscard]] Result<void> check_tellings(const Watcher& watcher) const;
  void expect(const CallId& id, std::chrono::milliseconds grace, std::shared_ptr<Watcher> watcher);
  void expect(const CallId& id, Call::Dependent dependent);
  /// The id's entry, perhaps a new one, in which that connection has a place from here on; fails where it
  /// has too many of them, or the node has.
  [[nodiscard]] Result<Expected*> take_place(const CallId& id, std::uint64_t connection);
  /// Null where nobody waits for that id.
  std::unique_ptr<Expected> take_expected(const CallId& id);
  [[nodiscard]] std::size_t places_of(std::uint64_t connection) const;
  void leave_place(const CallId& id, std::uint64_t connection);
  /// Of all who wait in there.
  void leave_places(const Expected& expected);
  void wait_until(Expected& expected, Clock::time_point until);
  void expected_late(const CallId& id);
  void tell_unknown(const Expected& expected, const Error& why);
  void adopt_expected(Call& call);
  enum class Because : std::uint8_t { sent_again, given_up };
  void forget_refusal(const CallId& id, Because because);
  void forget_refusal_at(std::size_t shard, const CallId& id, Because because);
  Refusal* remember_refusal(const CallId& id, const Error& why, bool answers, Clock::duration ttl);
  void hold_lane(Refusal& refusal, HostedAgent& agent, const CallerPtr& caller);
  void leave_lane(Refusal& refusal);
  void open_lane(const LaneKey& key);
  [[nodiscard]] Error call_not_found(const CallId& id) const;
  [[nodiscard]] static Error shutting_down();
  [[nodiscard]] Error located(Error error, const Call& call) const;
  [[nodiscard]] static Outcome outcome_of(const Call& call);

  async::Loop& loop_;
  const TypeTable& types_;
  ForeignNodes* foreign_;
  RuntimeSettings settings_;
  std::shared_ptr<WorkerPool> workers_;
  std::shared_ptr<RuntimeGate> gate_;

  Directory<HostedAgent, std::string_view, std::hash<std::string_view>> agents_;
  Sequence<HostedAgent> agents_in_order_;
  std::weak_ptr<const HostedAgent::Settings> latest_settings_;
  /// Deleted, with a call that still runs.
  boost::unordered_flat_set<AgentPtr> leaving_;
  Directory<Call, CallId, std::hash<CallId>> calls_;
  Sequence<Call> calls_in_order_;
  boost::unordered_flat_map<std::string_view, CallerPtr> callers_;
  Tombstones tombstones_;
  boost::unordered_flat_map<CallId, std::unique_ptr<Expected>, std::hash<CallId>> expected_;
  /// Which of these each connection waits for, itself or by the inputs of its calls, and in how many places.
  boost::unordered_flat_map<std::uint64_t, boost::unordered_flat_map<CallId, std::size_t, std::hash<CallId>>>
      asked_;
  boost::unordered_flat_map<CallId, std::unique_ptr<Refusal>, std::hash<CallId>> refusals_;
  boost::unordered_flat_map<LaneKey, RefusedLane> refused_lanes_;
  /// The calls that are at another shard though the home of their ids is here.
  boost::unordered_flat_map<CallId, std::size_t, std::hash<CallId>> claimed_;
  /// Who waits for the answers of other shards.
  struct ClaimWait {
    CallPtr call;
    std::vector<OnClaimed> told;
  };
  std::unordered_map<CallId, ClaimWait> claim_waits_;

  /// Who is to be told when an agent is made, or is not.
  std::unordered_map<const HostedAgent*, std::vector<OnCreated>> making_;
  std::deque<AgentPtr> scheduled_;
  /// A call that has settled, and those that wait for it, told one after the other: never none.
  struct Resolution {
    CallPtr input;
    std::vector<Call::Dependent> dependents;
    std::size_t told = 0;
  };
  std::deque<Resolution> resolutions_;
  struct Finished {
    CallPtr call;
    Result<Message> result;
  };
  std::deque<Finished> finished_;
  struct Telling {
    CallPtr call;
    Watch watch;
  };
  std::deque<Telling> tellings_;
  /// The call that `fail_unsettled` looked at last; 0 where it is to begin with the first.
  std::uint64_t failed_up_to_ = 0;
  bool pump_scheduled_ = false;
  bool draining_ = false;
  bool failing_ = false;
  bool closed_ = false;

  std::uint64_t next_seq_ = 2;
  /// On cache lines of its own: other loops read it.
  alignas(64) Tally tally_;
  alignas(64) mutable Totals others_;
  /// The turn in which these were added up.
  mutable std::uint64_t others_at_ = 0;
};

}  // namespace agentd::runtime
