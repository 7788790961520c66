#include "sdk/src/session.hpp"

#include <condition_variable>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <utility>

#include "common/vocabulary/context.hpp"
#include "sdk/src/input_text.hpp"
#include "sdk/src/outside_context.hpp"
#include "sdk/src/remote_agent.hpp"
#include "sdk/src/remote_call.hpp"

namespace agentd::sdk {
namespace {

constexpr std::chrono::milliseconds release_delay{20};
constexpr std::chrono::seconds reach_limit{10};
constexpr std::chrono::seconds answer_limit{300};
constexpr std::chrono::seconds exit_limit{1};
constexpr std::chrono::microseconds spin_time{50};

/// Of a node that has let us in, perhaps again and again, and brought nothing that could be read.
Error unreachable(const Error& why) {
  if (why.kind() != ErrorKind::deadline_exceeded) return why;
  return Error(ErrorKind::peer_unreachable, why.message()).at_node(why.node());
}

/// The node is there and has not answered yet; one that cannot be reached gives another error.
bool is_late(const Result<std::string>& answer) {
  return !answer && answer.error().kind() == ErrorKind::deadline_exceeded;
}

}  // namespace

Session& Session::instance() {
  static Session& session = *new Session;
  return session;
}

std::size_t Session::HashOfAddress::operator()(const AgentAddress& address) const {
  // Agents of one id on several nodes are few.
  return std::hash<std::string>()(address.agent);
}

std::size_t Session::HashOfAddress::operator()(const RemoteAgent* agent) const {
  return (*this)(agent->address());
}

bool Session::SameAddress::operator()(const RemoteAgent* a, const RemoteAgent* b) const {
  return a->address() == b->address();
}

bool Session::SameAddress::operator()(const AgentAddress& address, const RemoteAgent* agent) const {
  return address == agent->address();
}

bool Session::SameAddress::operator()(const RemoteAgent* agent, const AgentAddress& address) const {
  return agent->address() == address;
}

Session::Session() : caller_("sdk-" + random_suffix(20)), driver_(loop_) {
  release_timer_.session = this;
  loop_.spin(spin_time, [this] { return something_waits(); });
}

void Session::ensure_running() {
  if (running_.load(std::memory_order_acquire)) return;
  std::call_once(started_, [this] {
    driver_.start();
    std::atexit([] { Session::instance().write_what_was_handed_over(); });
    running_ = true;
  });
}

SessionNode& Session::add_node(const NodeAddress& address) {
  SessionNode& node = *all_nodes_.emplace_back(std::make_unique<SessionNode>());
  node.address = address;
  node.loopback = is_loopback(address.host);
  nodes_[address] = &node;
  return node;
}

SessionNode& Session::node(const NodeAddress& address) {
  const std::lock_guard lock(directory_mutex_);
  const auto known = nodes_.find(address);
  return known != nodes_.end() ? *known->second : add_node(address);
}

SessionNode& Session::running_node(const NodeAddress& address) {
  const std::lock_guard lock(directory_mutex_);
  const auto known = nodes_.find(address);
  return known != nodes_.end() && !known->second->lost ? *known->second : add_node(address);
}

SessionNode& Session::new_node(const NodeAddress& address) {
  const std::lock_guard lock(directory_mutex_);
  return add_node(address);
}

std::shared_ptr<RemoteAgent> Session::agent(const AgentAddress& address) {
  SessionNode& node = this->node(address.node);
  // Outlives the lock: the last one to hold a proxy of a lost node takes the lock as it goes.
  std::shared_ptr<RemoteAgent> there;
  {
    const std::lock_guard lock(directory_mutex_);
    const auto known = agents_.find(address);
    if (known != agents_.end()) there = (*known)->self();
    if (there && &there->node() == &node) return there;
  }
  auto agent = std::make_shared<RemoteAgent>(*this, node, address);
  // Another one: put in place of the first, it might let that go under the lock.
  std::shared_ptr<RemoteAgent> quicker;
  const std::lock_guard lock(directory_mutex_);
  if (const auto known = agents_.find(address); known != agents_.end()) {
    // Another thread may have been quicker: one agent has one proxy, and so one lane.
    quicker = (*known)->self();
    if (quicker && &quicker->node() == &node) return quicker;
    agents_.erase(known);
  }
  agents_.insert(agent.get());
  return agent;
}

void Session::forget(const RemoteAgent& agent) {
  const std::lock_guard lock(directory_mutex_);
  const auto known = agents_.find(&agent);
  if (known != agents_.end() && *known == &agent) agents_.erase(known);
}

void Session::set_token(const NodeAddress& node, const std::string& token) {
  SessionNode* known = nullptr;
  OnToken told;
  {
    const std::lock_guard lock(directory_mutex_);
    tokens_[node] = token;
    if (const auto found = nodes_.find(node); found != nodes_.end()) known = found->second;
    told = on_token_;
  }
  if (known) {
    post([this, known] {
      if (known->link) known->link->set_token(this->token(known->address));
    });
  }
  if (told) told(node);
}

std::string Session::token(const NodeAddress& node) {
  const std::lock_guard lock(directory_mutex_);
  const auto set = tokens_.find(node);
  return set == tokens_.end() ? "" : set->second;
}

std::map<NodeAddress, std::string> Session::tokens() {
  const std::lock_guard lock(directory_mutex_);
  return tokens_;
}

void Session::when_token_is_set(OnToken told) {
  const std::lock_guard lock(directory_mutex_);
  on_token_ = std::move(told);
}

net::NodeLink& Session::link(SessionNode& node) {
  if (!node.link) {
    net::LinkSettings settings;
    settings.node = node.address;
    settings.caller = caller_;
    settings.token = token(node.address);
    node.link = net::NodeLink::make(loop_, std::move(settings));
    links_.push_back(node.link);
  }
  return *node.link;
}

bool Session::something_waits() const {
  for (const auto& link : links_) {
    if (link->waiting() > 0) return true;
  }
  return false;
}

void Session::post(async::Loop::Work work) {
  ensure_running();
  loop_.post(std::move(work));
  driver_.posted();
}

void Session::hand_over(RemoteCall& call) {
  ensure_running();
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(&call);
    if (!std::exchange(drain_scheduled_, true)) loop_.post([this] { drain(); });
  }
  driver_.posted();
}

void Session::drain() {
  draining_.clear();
  {
    const std::lock_guard lock(inbox_mutex_);
    draining_.swap(inbox_);
    drain_scheduled_ = false;
  }
  for (RemoteCall* call : draining_) call->agent().submit(*call);
  send_releases();
}

void Session::release(SessionNode& node, const CallId& call, bool was_done) {
  {
    const std::lock_guard lock(inbox_mutex_);
    releases_.push_back({&node, call, was_done});
    if (std::exchange(release_scheduled_, true)) return;
  }
  loop_.post([this] { release_soon(); });
}

/// Waits a little for more: a release is in no hurry, and each wake-up costs.
void Session::release_soon() {
  loop_.start(release_timer_, async::Loop::Clock::now() + release_delay, [](async::Timer& timer) {
    Session& session = *static_cast<ReleaseTimer&>(timer).session;
    {
      const std::lock_guard lock(session.inbox_mutex_);
      session.release_scheduled_ = false;
    }
    session.send_releases();
  });
}

void Session::send_releases() {
  {
    const std::lock_guard lock(inbox_mutex_);
    releasing_.swap(releases_);
  }
  for (const Release& release : releasing_) link(*release.node).release(release.call, release.was_done);
  releasing_.clear();
}

void Session::check_may_wait(std::string_view method) const {
  if (!on_loop()) return;
  throw std::logic_error(std::string(method) +
                         " waits for its answer, so it cannot be asked for from a callback");
}

Result<std::string> Session::ask(SessionNode& node, std::string_view method, const std::string& params) {
  return ask_all(node, method, {params}).front();
}

std::vector<Result<std::string>> Session::ask_all(SessionNode& node, std::string_view method,
                                                  std::vector<std::string> params) {
  check_may_wait(method);
  const BlockingScope blocking;
  const auto until = async::Loop::Clock::now() + answer_limit;
  auto answers = ask_once(node, method, params);
  while (async::Loop::Clock::now() < until) {
    std::vector<std::size_t> places;
    std::vector<std::string> again;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!is_late(answers[i])) continue;
      places.push_back(i);
      again.push_back(params[i]);
    }
    if (places.empty()) break;
    auto later = ask_once(node, method, std::move(again));
    for (std::size_t i = 0; i < places.size(); ++i) answers[places[i]] = std::move(later[i]);
  }
  return answers;
}

std::vector<Result<std::string>> Session::ask_once(SessionNode& node, std::string_view method,
                                                   std::vector<std::string> params) {
  std::vector<Result<std::string>> answers(params.size());
  std::size_t left = params.size();
  std::promise<void> all_there;
  post([&] {
    const auto until = async::Loop::Clock::now() + reach_limit;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      link(node).request(method, std::move(params[i]), until, [&, i](Result<std::string> result) {
        if (!result && link(node).unreached()) result = unreachable(result.error());
        answers[i] = std::move(result);
        if (--left == 0) all_there.set_value();
      });
    }
  });
  (void)wait_for(all_there.get_future());
  return answers;
}

/// Calls that were made go on without this process, but only if the node has heard of them.
void Session::write_what_was_handed_over() {
  if (on_loop()) return;
  const auto until = std::chrono::steady_clock::now() + exit_limit;
  bool written = false;
  driver_.take_back();
  while (!written && std::chrono::steady_clock::now() < until) {
    auto looked = std::make_shared<std::promise<bool>>();
    auto future = looked->get_future();
    // After the turn in which it was posted: what is handed over is in the outbox by then.
    loop_.post([this, looked] { loop_.at_turn_end([this, looked] { looked->set_value(all_written()); }); });
    if (future.wait_until(until) != std::future_status::ready) return;
    written = future.get();
    if (!written) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool Session::all_written() const {
  for (const auto& link : links_) {
    if (!link->all_written()) return false;
  }
  return true;
}

}  // namespace agentd::sdk
