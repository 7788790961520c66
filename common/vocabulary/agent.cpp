#include <agentd/agent.hpp>

#include <stdexcept>
#include <utility>

#include "common/vocabulary/context.hpp"
#include "common/vocabulary/letters.hpp"
#include "common/vocabulary/target.hpp"

namespace agentd {

Message Agent::reply(const Message&) {
  throw std::logic_error("this agent type overrides neither reply nor reply_async");
}

Task<Message> Agent::reply_async(Message input) { co_return reply(input); }

void Agent::observe(const Message&) {}

namespace detail {
namespace {

/// The way to an agent that only a running agent can take: its call's context makes the call.
class AddressOnly : public Target {
public:
  explicit AddressOnly(AgentAddress address) : address_(std::move(address)) {}
  const AgentAddress& address() const override { return address_; }
  Message call(std::string_view, const Message&, const CallOptions&) override { throw outside(); }
  AgentRef clone() override { throw outside(); }
  AgentRef to_dist(const DistOptions&) override { throw outside(); }

private:
  std::logic_error outside() const {
    return std::logic_error("the agent " + address_.text() +
                            " can be called only from inside another agent's call here");
  }
  AgentAddress address_;
};

TargetResolver& resolver() {
  static TargetResolver installed;
  return installed;
}

/// Strict: the JSON library would cut another number to fit.
std::uint16_t port_of(const Json& json) {
  const auto port = json.is_number_integer() ? json.get<std::int64_t>() : -1;
  if (port < 0 || port > 65535) throw std::invalid_argument("no port");
  return static_cast<std::uint16_t>(port);
}

Target& known(const std::shared_ptr<Target>& target) {
  if (!target)
    throw std::logic_error("this AgentRef names no agent: it was default-constructed or moved from");
  return *target;
}

}  // namespace

std::vector<AgentType>& linked_types() {
  static std::vector<AgentType> types;
  return types;
}

Message Target::call_from(CallContext& context, std::string_view method, const Message& input,
                          const CallOptions& options) {
  return context.call(address(), method, input, options);
}

void set_target_resolver(TargetResolver installed) { resolver() = std::move(installed); }

}  // namespace detail

Message AgentRef::call(std::string_view method, const Message& input, const CallOptions& options) const {
  detail::Target& target = detail::known(target_);
  CallOptions merged = options;
  if (!merged.deadline) merged.deadline = options_.deadline;
  if (auto* context = detail::current_context()) {
    return target.call_from(*context, method, input, merged);
  }
  return target.call(method, input, merged);
}

AgentRef AgentRef::with(const CallOptions& options) const {
  AgentRef copy = *this;
  copy.options_ = options;
  return copy;
}

AgentRef AgentRef::clone() const { return detail::known(target_).clone().with(options_); }

AgentRef AgentRef::to_dist(const DistOptions& options) const {
  return detail::known(target_).to_dist(options).with(options_);
}

const std::string& AgentRef::id() const { return address().agent; }

const AgentAddress& AgentRef::address() const { return detail::known(target_).address(); }

void to_json(Json& json, const AgentRef& agent) {
  const AgentAddress& address = agent.address();
  json = {{"$agent", {{"host", address.node.host}, {"port", address.node.port}, {"agent", address.agent}}}};
}

void from_json(const Json& json, AgentRef& agent) {
  AgentAddress address;
  try {
    const Json& reference = json.at("$agent");
    address = {
        {detail::lower_case(reference.at("host").get<std::string>()), detail::port_of(reference.at("port"))},
        reference.at("agent").get<std::string>()};
    if (!is_agent_id(address.agent)) throw std::invalid_argument("no agent id");
  } catch (const std::exception&) {
    throw Error(ErrorKind::invalid_params,
                "expected an agent reference {\"$agent\":{\"host\",\"port\",\"agent\"}}, not " +
                    json.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 120));
  }
  auto target = detail::resolver() ? detail::resolver()(address) : nullptr;
  if (!target) target = std::make_shared<detail::AddressOnly>(std::move(address));
  agent = AgentRef(std::move(target));
}

}  // namespace agentd
