#include "daemon/node/node.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "common/async/loop.hpp"
#include "daemon/agents/builtin.hpp"
#include "daemon/http/server.hpp"
#include "daemon/node/late_dispatcher.hpp"
#include "daemon/node/settings.hpp"
#include "daemon/peers/peer_links.hpp"
#include "daemon/rpc/json_rpc_dispatcher.hpp"
#include "daemon/rpc/metrics.hpp"
#include "daemon/runtime/runtime.hpp"

#ifndef AGENTD_VERSION
#error "AGENTD_VERSION is the project's version, set by the build"
#endif

namespace agentd {
namespace {

/// How often a stopping node looks whether it is done.
constexpr std::chrono::milliseconds stop_interval{5};
/// How many calls a stopping node fails before others get their turn: who waits for them is told meanwhile.
constexpr std::size_t failed_per_turn = 2000;
/// How long a stopping node goes on telling of calls that it has failed, and then waits for its connections
/// to close.
constexpr std::chrono::milliseconds goodbye{1'500};
/// How long a stopped node waits for workers whose calls were failed already.
constexpr std::chrono::milliseconds worker_patience{200};
/// Calls since it last was about to sleep, at most, for the loop to spin in place of sleeping.
constexpr std::uint64_t most_to_spin_for = 32;

}  // namespace

class Node::Impl : public rpc::NodeControl {
public:
  using Clock = std::chrono::steady_clock;

  explicit Impl(NodeConfig config) : config_(std::move(config)) {
    for (AgentType& type : agents::builtin_types()) add_type(std::move(type));
    stopping_.owner = this;
  }

  ~Impl() override {
    if (thread_.joinable()) stop_and_wait(std::chrono::milliseconds(0));
  }

  void add_type(AgentType type) {
    const auto added = types_.add(std::move(type));
    if (!added && !type_fault_) type_fault_ = added.error();
  }

  Result<void> start() {
    if (type_fault_) return *type_fault_;
    if (auto checked = check(config_); !checked) return checked;
    server_ = std::make_unique<http::Server>(loop_, dispatcher_, server_settings(config_));
    if (auto bound = server_->listen(); !bound) return bound;
    listening_ = server_->listening();
    address_ = advertised_address(config_, listening_);
    auto peers = peer_settings(config_, address_);
    if (!peers) return peers.error();
    peers_ = std::make_unique<peers::PeerLinks>(loop_, *std::move(peers));
    runtime_ = std::make_unique<runtime::Runtime>(loop_, types_, peers_.get(),
                                                  runtime_settings(config_, listening_));
    rpc::NodeFacts facts;
    facts.version = AGENTD_VERSION;
    facts.address = address_;
    facts.boot = random_suffix(16);
    facts.started = std::chrono::steady_clock::now();
    dispatcher_.set(std::make_unique<rpc::JsonRpcDispatcher>(*runtime_, *this, std::move(facts)));
    loop_.spin(config_.spin, [this] { return few_came(); });
    thread_ = std::thread([this] { run(); });
    return {};
  }

  [[nodiscard]] const NodeAddress& address() const { return address_; }
  [[nodiscard]] const NodeAddress& listening() const { return listening_; }

  Result<AgentAddress> create(protocol::AgentCreateParams params) {
    auto made = std::make_shared<std::promise<Result<AgentAddress>>>();
    auto future = made->get_future();
    loop_.post([this, made, params = std::move(params)]() mutable {
      if (!runtime_) return made->set_value(Error(ErrorKind::shutting_down, "the node has stopped"));
      runtime_->create(std::move(params), [this, made](Result<runtime::AgentPtr> agent) {
        if (!agent) return made->set_value(agent.error());
        made->set_value(AgentAddress{address_, (*agent)->id});
      });
    });
    return future.get();
  }

  void post_drain() {
    loop_.post([this] { drain(); });
  }

  void stop_and_wait(std::chrono::milliseconds grace) {
    loop_.post([this, grace] { stop(grace); });
    wait();
  }

  void when_stopping(std::function<void(std::chrono::milliseconds)> told) {
    loop_.post([this, told = std::move(told)]() mutable {
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

  void set_token(std::string token) {
    loop_.post([this, token = std::move(token)] {
      if (server_) server_->set_token(token);
      if (peers_ && config_.peer_token.empty()) peers_->set_token(token);
    });
  }

  void set_token_of(const NodeAddress& node, std::string token) {
    loop_.post([this, node, token = std::move(token)] {
      if (peers_) peers_->set_token_of(node, token);
    });
  }

  bool answers(std::chrono::milliseconds limit) {
    auto asked = std::make_shared<std::promise<void>>();
    auto answered = asked->get_future();
    loop_.post([asked] { asked->set_value(); });
    return answered.wait_for(limit) == std::future_status::ready;
  }

  [[nodiscard]] Clock::time_point last_progress() const { return last_progress_; }

  // rpc::NodeControl, on the loop.

  void drain() override {
    if (runtime_) runtime_->drain();
  }

  void stop(std::optional<std::chrono::milliseconds> grace) override {
    const auto until = Clock::now() + grace.value_or(config_.grace);
    if (phase_ != Phase::serving) {
      fail_at_ = std::min(fail_at_, until);
      return;
    }
    phase_ = Phase::draining;
    fail_at_ = until;
    tell_stopping();
    drain();
    look_again();
  }

  void dropped(const CallId& call, const Error& why) override {
    if (config_.on_dropped) config_.on_dropped(call, why);
  }

  void append_metrics(std::string& out) const override {
    const http::ServerCounters& counters = server_->counters();
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
    rpc::append_metric(out, "agentd_peer_links", "gauge", "Links to other nodes, connected or not",
                       peers_->links());
    rpc::append_metric(out, "agentd_peer_received_bytes_total", "counter",
                       "Bytes received from peers dialled", peers_->bytes_received());
    rpc::append_metric(out, "agentd_peer_sent_bytes_total", "counter", "Bytes sent to peers dialled",
                       peers_->bytes_sent());
  }

private:
  /// Stopping has two breaths: first what runs may finish, then what has not is failed, and everybody is
  /// told so, and goodbye.
  enum class Phase : std::uint8_t { serving, draining, failing, telling, closing };

  struct StopTimer : async::Timer {
    Impl* owner = nullptr;
  };

  void run() {
    runtime_->gate()->bind_to_this_thread();
    loop_.run();
    server_.reset();
    runtime_->close(Clock::now() + worker_patience);
    peers_.reset();
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    ended_.notify_all();
  }

  /// Where many calls come, they come the better together the later they are looked for.
  bool few_came() {
    const std::uint64_t accepted = runtime_->counters().accepted;
    return accepted - std::exchange(accepted_before_spin_, accepted) <= most_to_spin_for;
  }

  void tell_stopping() const {
    if (when_stopping_) when_stopping_(std::chrono::ceil<std::chrono::milliseconds>(fail_at_ - Clock::now()));
  }

  void look_again() {
    loop_.start(stopping_, Clock::now() + stop_interval,
                [](async::Timer& timer) { static_cast<StopTimer&>(timer).owner->go_on_stopping(); });
  }

  void go_on_stopping() {
    const auto now = Clock::now();
    if (phase_ == Phase::draining && (runtime_->unsettled() == 0 || now >= fail_at_)) phase_ = Phase::failing;
    if (phase_ == Phase::failing) {
      const bool all = runtime_->fail_unsettled(failed_per_turn);
      last_progress_ = now;
      if (!all) return loop_.post([this] { go_on_stopping(); });
      phase_ = Phase::telling;
      close_at_ = now + goodbye;
    }
    if (phase_ == Phase::telling && (!runtime_->has_work() || now >= close_at_)) {
      phase_ = Phase::closing;
      close_at_ = now + goodbye;
      server_->close_all();
      peers_->stop();
    } else if (phase_ == Phase::closing && (server_->connections() == 0 || now >= close_at_)) {
      return loop_.stop();
    }
    look_again();
  }

  NodeConfig config_;
  runtime::TypeTable types_;
  std::optional<Error> type_fault_;
  NodeAddress listening_;
  NodeAddress address_;

  async::Loop loop_;
  LateDispatcher dispatcher_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<peers::PeerLinks> peers_;
  std::unique_ptr<runtime::Runtime> runtime_;

  Phase phase_ = Phase::serving;
  std::function<void(std::chrono::milliseconds)> when_stopping_;
  Clock::time_point fail_at_;
  Clock::time_point close_at_;
  /// Read by other threads.
  std::atomic<Clock::time_point> last_progress_{Clock::time_point{}};
  StopTimer stopping_;
  std::uint64_t accepted_before_spin_ = 0;

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
