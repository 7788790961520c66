#include <agentd/server.hpp>

#include <stdexcept>
#include <utility>

#include <agentd/agent.hpp>

#include "daemon/node/node.hpp"
#include "sdk/src/end_signals.hpp"

namespace agentd {
namespace {

Error wrong(const std::string& what, const std::string& value, const std::string& form) {
  return Error(ErrorKind::invalid_params, what + " is \"" + value + "\"; it takes " + form);
}

/// `HOST[:PORT]`, where the port may be missing; an IPv6 address with a port stands in brackets.
NodeAddress split(const std::string& text) {
  if (auto address = NodeAddress::parse(text)) return *address;
  return {text, 0};
}

NodeConfig node_config(const AgentServerConfig& config) {
  NodeConfig node;
  node.host = config.host;
  node.port = config.port;
  node.token = config.token;
  node.insecure = config.insecure;
  node.workers = config.workers;
  if (!config.advertise.empty()) node.advertise = split(config.advertise);
  for (const std::string& peer : config.peers) {
    const NodeAddress entry = split(peer);
    if (entry.host.empty()) throw wrong("a peer", peer, "HOST|CIDR[:PORT]");
    node.peers.push_back({entry.host, entry.port});
  }
  return node;
}

}  // namespace

class AgentServer::Impl {
public:
  explicit Impl(AgentServerConfig given) : config(std::move(given)), node(node_config(config)) {
    for (const AgentType& type : detail::linked_types()) node.add_type(type);
  }

  AgentServerConfig config;
  Node node;
  bool launched = false;
  AgentAddress agent;
};

AgentServer::AgentServer(AgentServerConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}

AgentServer::~AgentServer() = default;

void AgentServer::launch() {
  if (std::exchange(impl_->launched, true)) throw std::logic_error("this AgentServer was launched before");
  if (const auto started = impl_->node.start(); !started) throw Error(started.error());
  if (impl_->config.type.empty()) return;
  auto created = impl_->node.create(impl_->config.type, impl_->config.id,
                                    impl_->config.args.is_null() ? Json::object() : impl_->config.args);
  if (!created) {
    impl_->node.stop(std::chrono::milliseconds(0));
    throw Error(created.error());
  }
  impl_->agent = std::move(*created);
}

std::uint16_t AgentServer::port() const { return impl_->node.listening().port; }

NodeAddress AgentServer::address() const { return impl_->node.address(); }

AgentAddress AgentServer::agent() const { return impl_->agent; }

void AgentServer::shutdown(std::chrono::milliseconds grace) { impl_->node.stop(grace); }

void AgentServer::wait_until_terminate() {
  sdk::EndSignals signals([this] { impl_->node.stop(std::chrono::seconds(10)); });
  impl_->node.wait();
}

}  // namespace agentd
