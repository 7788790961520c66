#include <agentd/server.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>

#include <agentd/agent.hpp>

#include "common/protocol/token.hpp"
#include "daemon/node/node.hpp"
#include "sdk/src/create.hpp"
#include "sdk/src/end_signals.hpp"
#include "sdk/src/start_error.hpp"

namespace agentd {
namespace {

Error wrong(const std::string& what, const std::string& value, const std::string& form) {
  return Error(ErrorKind::invalid_params, what + " is \"" + value + "\"; it takes " + form);
}

bool is_name(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

bool is_v6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

/// `HOST[:PORT]`, where the port may be missing; an IPv6 address with a port stands in brackets.
NodeAddress split(const std::string& text) {
  if (auto address = NodeAddress::parse(text)) return *address;
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  return {bracketed ? text.substr(1, text.size() - 2) : text, 0};
}

NodeAddress advertised(const std::string& text) {
  NodeAddress address = split(text);
  if (is_name(address.host) || is_v6(address.host)) return address;
  throw wrong("advertise", text, "HOST[:PORT]");
}

PeerEntry peer_entry(const std::string& text) {
  const NodeAddress entry = split(text);
  const std::string host = entry.host.substr(0, entry.host.find('/'));
  if (is_name(host) || is_v6(host)) return {entry.host, entry.port};
  throw wrong("a peer", text, "HOST|CIDR[:PORT]");
}

/// Throws `Error` (`invalid_params`) where something in it is wrong.
NodeConfig node_config(const AgentServerConfig& config) {
  NodeConfig node;
  node.host = config.host;
  node.port = config.port;
  protocol::check_token(config.token, protocol::shortest_asked_token).value();
  node.token = config.token;
  node.insecure = config.insecure;
  node.loops = config.loops;
  node.workers = config.workers;
  if (!config.advertise.empty()) node.advertise = advertised(config.advertise);
  for (const std::string& peer : config.peers) node.peers.push_back(peer_entry(peer));
  return node;
}

}  // namespace

class AgentServer::Impl {
public:
  explicit Impl(AgentServerConfig given) : config_(std::move(given)) {}

  void launch() {
    if (tried_.exchange(true)) throw std::logic_error("this AgentServer was launched before");
    const Json args = config_.args.is_null() ? Json::object() : config_.args;
    if (!config_.type.empty()) (void)sdk::args_text(config_.type, args);
    node_ = std::make_unique<Node>(node_config(config_));
    for (const AgentType& type : detail::linked_types()) node_->add_type(type);
    if (const auto started = node_->start(); !started) throw Error(sdk::start_error(started.error()));
    launched_ = true;
    if (config_.type.empty()) return;
    auto created = node_->create(config_.type, config_.id, args);
    if (!created) {
      node_->stop(std::chrono::milliseconds(0));
      throw Error(created.error());
    }
    agent_ = std::move(*created);
  }

  [[nodiscard]] bool launched() const { return launched_; }
  [[nodiscard]] Node& node() const {
    if (!launched_) throw std::logic_error("this AgentServer has not been launched");
    return *node_;
  }
  [[nodiscard]] const AgentAddress& agent() const { return agent_; }

  /// While there is one, the signals end this server.
  class Wait {
  public:
    explicit Wait(Impl& impl) : impl_(impl) {
      const std::lock_guard lock(impl.mutex_);
      if (impl.waiting_ == 0) impl.signals_.emplace([&impl] { impl.node_->stop(std::chrono::seconds(10)); });
      ++impl.waiting_;
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    /// Under the lock until the signals' handlers are put back: who comes next sets them anew.
    ~Wait() {
      const std::lock_guard lock(impl_.mutex_);
      if (--impl_.waiting_ == 0) impl_.signals_.reset();
    }

  private:
    Impl& impl_;
  };

private:
  const AgentServerConfig config_;
  std::atomic<bool> tried_{false};
  std::unique_ptr<Node> node_;
  /// From here on the node is there, and does not change any more.
  std::atomic<bool> launched_{false};
  AgentAddress agent_;
  std::mutex mutex_;
  unsigned waiting_ = 0;
  std::optional<sdk::EndSignals> signals_;
};

AgentServer::AgentServer(AgentServerConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}

AgentServer::~AgentServer() = default;

void AgentServer::launch() { impl_->launch(); }

std::uint16_t AgentServer::port() const { return impl_->node().listening().port; }

NodeAddress AgentServer::address() const { return impl_->node().address(); }

AgentAddress AgentServer::agent() const { return impl_->agent(); }

void AgentServer::shutdown(std::chrono::milliseconds grace) {
  if (impl_->launched()) impl_->node().stop(grace);
}

void AgentServer::wait_until_terminate() {
  Node& node = impl_->node();
  const Impl::Wait wait(*impl_);
  node.wait();
}

}  // namespace agentd
