#include "daemon/node/node.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "common/async/loops.hpp"
#include "daemon/agents/builtin.hpp"
#include "daemon/http/server.hpp"
#include "daemon/node/node_shard.hpp"
#include "daemon/node/settings.hpp"
#include "daemon/rpc/metrics.hpp"

#ifndef AGENTD_VERSION
#error "AGENTD_VERSION is the project's version, set by the build"
#endif

namespace agentd {
namespace {

/// How often a stopping node looks whether it is done.
constexpr std::chrono::milliseconds stop_interval{5};
/// How long a stopping node goes on telling of calls that it has failed, and then waits for its connections
/// to close.
constexpr std::chrono::milliseconds goodbye{1'500};

}  // namespace

/// What is the node's own, in place of a loop's, belongs to the first loop.
class Node::Impl : public rpc::NodeControl {
public:
  using Clock = std::chrono::steady_clock;

  explicit Impl(NodeConfig config)
      : config_(std::move(config)), loops_(loop_count(config_)), runtimes_(loops_), siblings_(runtimes_) {
    for (AgentType& type : agents::builtin_types()) add_type(std::move(type));
    for (std::size_t i = 0; i < loops_.count(); ++i) {
      shards_.push_back(std::make_unique<NodeShard>(loops_[i], i));
    }
    stopping_.owner = this;
  }

  ~Impl() override {
    if (thread_.joinable()) stop_and_wait(std::chrono::milliseconds(0));
    server_.reset();
    // While all is there that it belongs to.
    loops_.discard();
  }

  void add_type(AgentType type) {
    const auto added = types_.add(std::move(type));
    if (!added && !type_fault_) type_fault_ = added.error();
  }

  Result<void> start() {
    if (type_fault_) return *type_fault_;
    if (auto checked = check(config_); !checked) return checked;
    std::vector<rpc::Dispatcher*> dispatchers;
    for (const auto& shard : shards_) dispatchers.push_back(&shard->dispatcher());
    server_ = std::make_unique<http::Server>(loops_, dispatchers, server_settings(config_));
    if (auto bound = server_->listen(); !bound) return bound;
    listening_ = server_->listening();
    address_ = advertised_address(config_, listening_);
    const auto peers = peer_settings(config_, address_);
    if (!peers) return peers.error();
    make_shards(*peers);
    thread_ = std::thread([this] { run(); });
    return {};
  }

  [[nodiscard]] const NodeAddress& address() const { return address_; }
  [[nodiscard]] const NodeAddress& listening() const { return listening_; }

  Result<AgentAddress> create(protocol::AgentCreateParams params) {
    auto made = std::make_shared<std::promise<Result<AgentAddress>>>();
    auto future = made->get_future();
    NodeShard& shard = *shards_[params.agent.empty() ? 0 : runtimes_.of_agent(params.agent)];
    shard.loop().post([this, &shard, made, params = std::move(params)]() mutable {
      if (!shard.made()) return made->set_value(Error(ErrorKind::shutting_down, "the node has stopped"));
      shard.runtime().create(std::move(params), [this, made](Result<runtime::AgentPtr> agent) {
        if (!agent) return made->set_value(agent.error());
        made->set_value(AgentAddress{address_, (*agent)->id});
      });
    });
    return future.get();
  }

  void post_drain() {
    loop().post([this] { drain(); });
  }

  void stop_and_wait(std::chrono::milliseconds grace) {
    loop().post([this, grace] { stop(grace); });
    wait();
  }

  void when_stopping(std::function<void(std::chrono::milliseconds)> told) {
    loop().post([this, told = std::move(told)]() mutable {
      when_stopping_ = std::move(told);
      if (phase_ != Phase::serving) tell_stopping();
    });
  }

  void wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return has_ended_; });
    lock.unlock();
    // Whoever waits: a launched server ends its process behind this.
    std::call_once(joined_, [this] { thread_.join(); });
  }

  void set_token(const std::string& token) {
    loop().post([this, token] {
      if (server_) server_->set_token(token);
    });
    if (!config_.peer_token.empty()) return;
    for (const auto& shard : shards_) {
      shard->loop().post([&shard = *shard, token] {
        if (shard.made()) shard.peers().set_token(token);
      });
    }
  }

  void set_token_of(const NodeAddress& node, const std::string& token) {
    for (const auto& shard : shards_) {
      shard->loop().post([&shard = *shard, node, token] {
        if (shard.made()) shard.peers().set_token_of(node, token);
      });
    }
  }

  bool answers(std::chrono::milliseconds limit) {
    const auto until = Clock::now() + limit;
    std::vector<std::future<void>> answers;
    for (const auto& shard : shards_) {
      auto asked = std::make_shared<std::promise<void>>();
      answers.push_back(asked->get_future());
      shard->loop().post([asked] { asked->set_value(); });
    }
    return std::all_of(answers.begin(), answers.end(), [until](const auto& answer) {
      return answer.wait_until(until) == std::future_status::ready;
    });
  }

  [[nodiscard]] Clock::time_point last_progress() const { return last_progress_; }

  // rpc::NodeControl, on any of the loops.

  void drain() override {
    for (const auto& shard : shards_) {
      if (shard->made()) shard->runtime().drain();
    }
  }

  void stop(std::optional<std::chrono::milliseconds> grace) override {
    drain();
    loop().post([this, until = Clock::now() + grace.value_or(config_.grace)] { begin_stopping(until); });
  }

  void dropped(const CallId& call, const Error& why) override {
    if (!config_.on_dropped) return;
    loop().post([this, call, why] { config_.on_dropped(call, why); });
  }

  void append_metrics(std::string& out) const override {
    const http::ServerCounters counters = server_->counters();
    rpc::append_metric(out, "agentd_connections", "gauge", "Connections open", server_->connections());
    rpc::append_metric(out, "agentd_websockets", "gauge", "WebSockets open", counters.websockets);
    rpc::append_metric(out, "agentd_connections_accepted_total", "counter", "Connections accepted",
                       counters.accepted);
    rpc::append_metric(out, "agentd_connections_turned_away_total", "counter",
                       "Connections turned away because there were too many", counters.turned_away);
    rpc::append_metric(out, "agentd_connections_dropped_total", "counter",
                       "Connections ended by the node: stalled, silent, or over a bound", counters.dropped);
    rpc::append_metric(out, "agentd_http_requests_total", "counter", "HTTP requests", counters.requests);
    rpc::append_metric(out, "agentd_http_refused_total", "counter", "HTTP requests refused",
                       counters.refused);
    rpc::append_metric(out, "agentd_received_bytes_total", "counter",
                       "Bytes received from clients and peers that dialled", counters.bytes_received);
    rpc::append_metric(out, "agentd_sent_bytes_total", "counter",
                       "Bytes sent to clients and peers that dialled", counters.bytes_sent);
    std::uint64_t links = 0;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    for (const auto& shard : shards_) {
      const peers::PeerLinks& peers = std::as_const(*shard).peers();
      links += peers.links();
      received += peers.bytes_received();
      sent += peers.bytes_sent();
    }
    rpc::append_metric(out, "agentd_peer_links", "gauge", "Links to other nodes, connected or not", links);
    rpc::append_metric(out, "agentd_peer_received_bytes_total", "counter",
                       "Bytes received from peers dialled", received);
    rpc::append_metric(out, "agentd_peer_sent_bytes_total", "counter", "Bytes sent to peers dialled", sent);
  }

private:
  /// Stopping has two breaths: first what runs may finish, then what has not is failed, and everybody is
  /// told so, and goodbye.
  enum class Phase : std::uint8_t { serving, draining, failing, closing };

  struct StopTimer : async::Timer {
    Impl* owner = nullptr;
  };

  [[nodiscard]] async::Loop& loop() { return loops_[0]; }

  void make_shards(const peers::PeerSettings& peers) {
    rpc::NodeFacts facts;
    facts.version = AGENTD_VERSION;
    facts.address = address_;
    facts.boot = random_suffix(16);
    facts.started = std::chrono::steady_clock::now();
    const bool alone = shards_.size() == 1;
    runtime::RuntimeSettings settings = runtime_settings(config_, listening_);
    settings.shards = alone ? nullptr : &runtimes_;
    settings.pool = std::make_shared<runtime::WorkerPool>(settings.workers, settings.limits.blocked_workers);
    for (const auto& shard : shards_) {
      shard->make(types_, peers, settings, *this, facts, alone ? nullptr : &siblings_);
    }
  }

  void run() {
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < shards_.size(); ++i) {
      others.emplace_back([&shard = *shards_[i], spin = config_.spin] { shard.run(spin); });
    }
    shards_[0]->run(config_.spin);
    for (std::thread& other : others) other.join();
    server_.reset();
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    ended_.notify_all();
  }

  void tell_stopping() const {
    if (when_stopping_) when_stopping_(std::chrono::ceil<std::chrono::milliseconds>(fail_at_ - Clock::now()));
  }

  void look_again() {
    loop().start(stopping_, Clock::now() + stop_interval,
                 [](async::Timer& timer) { static_cast<StopTimer&>(timer).owner->go_on_stopping(); });
  }

  void begin_stopping(Clock::time_point until) {
    if (phase_ != Phase::serving) {
      fail_at_ = std::min(fail_at_, until);
      return;
    }
    phase_ = Phase::draining;
    fail_at_ = until;
    tell_stopping();
    look_again();
  }

  void go_on_stopping() {
    const auto now = Clock::now();
    if (phase_ == Phase::draining && now >= fail_at_) return fail_unsettled();
    if (phase_ == Phase::draining && unsettled() == 0) {
      return go_round(&Impl::go_another_round);
    }
    if (phase_ == Phase::closing && (server_->connections() == 0 || now >= close_at_)) {
      for (const auto& shard : shards_) shard->loop().stop();
      return;
    }
    look_again();
  }

  [[nodiscard]] std::uint64_t unsettled() const {
    std::uint64_t sum = 0;
    for (const auto& shard : shards_) sum += shard->runtime().tally().unsettled;
    return sum;
  }

  /// Runs `work(shard, done)` on each loop, and then `all_done` on the first.
  template <typename Work>
  void at_each_shard(Work work, void (Impl::*all_done)()) {
    open_ = shards_.size();
    for (const auto& shard : shards_) {
      shard->loop().post([this, &shard = *shard, work, all_done] {
        work(shard, [this, all_done] {
          loop().post([this, all_done] {
            if (--open_ == 0) (this->*all_done)();
          });
        });
      });
    }
  }

  /// A call may be on its way from one loop to another, or about to be: what was said in a turn that the
  /// first round has seen the end of has come after the second.
  void go_round(void (Impl::*then)()) {
    at_each_shard([](NodeShard&, const std::function<void()>& done) { done(); }, then);
  }
  void go_another_round() { go_round(&Impl::end_rounds); }
  void end_rounds() {
    if (unsettled() == 0) return fail_unsettled();
    look_again();
  }

  void fail_unsettled() {
    phase_ = Phase::failing;
    at_each_shard(
        [this](NodeShard& shard, std::function<void()> done) {
          shard.fail_unsettled([this] { last_progress_ = Clock::now(); }, std::move(done));
        },
        &Impl::tell);
  }

  void tell() {
    close_at_ = Clock::now() + goodbye;
    tell_each(&Impl::tell_again);
  }

  /// What one shard has told may have been said to another.
  void tell_again() { tell_each(&Impl::say_goodbye); }

  void tell_each(void (Impl::*all_done)()) {
    at_each_shard(
        [until = close_at_](NodeShard& shard, std::function<void()> done) {
          shard.when_told(until, std::move(done));
        },
        all_done);
  }

  void say_goodbye() {
    phase_ = Phase::closing;
    close_at_ = Clock::now() + goodbye;
    server_->close_all();
    for (const auto& shard : shards_) {
      shard->loop().post([&shard = *shard] { shard.stop_peers(); });
    }
    look_again();
  }

  NodeConfig config_;
  runtime::TypeTable types_;
  std::optional<Error> type_fault_;
  NodeAddress listening_;
  NodeAddress address_;

  async::Loops loops_;
  runtime::Shards runtimes_;
  rpc::Siblings siblings_;
  std::vector<std::unique_ptr<NodeShard>> shards_;
  std::unique_ptr<http::Server> server_;

  Phase phase_ = Phase::serving;
  std::function<void(std::chrono::milliseconds)> when_stopping_;
  Clock::time_point fail_at_;
  Clock::time_point close_at_;
  /// Read by other threads.
  std::atomic<Clock::time_point> last_progress_{Clock::time_point{}};
  StopTimer stopping_;
  /// Shards that have not done what all are to do next.
  std::size_t open_ = 0;

  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;
  std::once_flag joined_;
};

Node::Node(NodeConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Node::~Node() = default;

void Node::add_type(AgentType type) { impl_->add_type(std::move(type)); }
Result<void> Node::start() { return impl_->start(); }
NodeAddress Node::address() const { return impl_->address(); }
NodeAddress Node::listening() const { return impl_->listening(); }

Result<AgentAddress> Node::create(const std::string& type, const std::string& id, const Json& args) {
  protocol::AgentCreateParams params;
  params.type = type;
  params.agent = id;
  params.args = args.is_null() ? "{}" : args.dump();
  return impl_->create(std::move(params));
}

void Node::drain() { impl_->post_drain(); }
void Node::stop(std::chrono::milliseconds grace) { impl_->stop_and_wait(grace); }
void Node::when_stopping(std::function<void(std::chrono::milliseconds)> told) {
  impl_->when_stopping(std::move(told));
}
void Node::wait() { impl_->wait(); }
void Node::set_token(std::string token) { impl_->set_token(std::move(token)); }
void Node::set_token_of(const NodeAddress& node, std::string token) {
  impl_->set_token_of(node, std::move(token));
}
std::chrono::steady_clock::time_point Node::last_progress() const { return impl_->last_progress(); }
bool Node::answers(std::chrono::milliseconds limit) const { return impl_->answers(limit); }

}  // namespace agentd
