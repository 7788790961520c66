#include "daemon/node/node_shard.hpp"

#include <utility>

#include "common/vocabulary/home.hpp"

namespace agentd {
namespace {

/// How many calls a stopping node fails before others get their turn: who waits for them is told meanwhile.
constexpr std::size_t failed_per_turn = 2000;
/// How often a stopping node looks whether all have been told.
constexpr std::chrono::milliseconds look_interval{5};
/// How long a stopped node waits for workers whose calls were failed already.
constexpr std::chrono::milliseconds worker_patience{200};
/// Calls since it last was about to sleep, at most, for the loop to spin in place of sleeping.
constexpr std::uint64_t most_to_spin_for = 32;

/// A caller whose home is at that loop: its connections are at the same one of a peer with as many loops,
/// and so are the agents there of a program whose agents are at that loop here.
std::string caller_at(std::size_t loop, std::size_t loops) {
  for (;;) {
    std::string caller = "node-" + random_suffix(20);
    if (loop_of(home_of(caller), loops) == loop) return caller;
  }
}

}  // namespace

void NodeShard::make(const runtime::TypeTable& types, peers::PeerSettings peers,
                     runtime::RuntimeSettings settings, rpc::NodeControl& node, const rpc::NodeFacts& facts,
                     rpc::Siblings* siblings) {
  settings.shard = index_;
  if (settings.shards) peers.caller = caller_at(index_, settings.shards->count());
  peers_ = std::make_unique<peers::PeerLinks>(loop_, std::move(peers));
  runtime_ = std::make_unique<runtime::Runtime>(loop_, types, peers_.get(), std::move(settings));
  dispatcher_.set(std::make_unique<rpc::JsonRpcDispatcher>(*runtime_, node, facts, siblings));
}

void NodeShard::run(std::chrono::microseconds spin) {
  loop_.spin(spin, [this] { return few_came(); });
  runtime_->gate()->bind_to_this_thread();
  loop_.run();
  runtime_->close(Clock::now() + worker_patience);
}

/// Where many calls come, they come the better together the later they are looked for.
bool NodeShard::few_came() {
  const std::uint64_t accepted = runtime_->tally().accepted;
  return accepted - std::exchange(accepted_before_spin_, accepted) <= most_to_spin_for;
}

void NodeShard::fail_unsettled(std::function<void()> failed, std::function<void()> done) {
  failed_ = std::move(failed);
  done_ = std::move(done);
  fail_next();
}

void NodeShard::fail_next() {
  const bool all = runtime_->fail_unsettled(failed_per_turn);
  failed_();
  if (!all) return loop_.post([this] { fail_next(); });
  done_();
}

void NodeShard::when_told(Clock::time_point until, std::function<void()> told) {
  told_ = std::move(told);
  told_by_ = until;
  look_whether_told();
}

void NodeShard::look_whether_told() {
  // In a turn to come: at this one's end what was said is handed over.
  if (!runtime_->has_work() || Clock::now() >= told_by_) return loop_.post(std::exchange(told_, nullptr));
  loop_.start(stopping_, Clock::now() + look_interval,
              [](async::Timer& timer) { static_cast<StopTimer&>(timer).owner->look_whether_told(); });
}

}  // namespace agentd
