#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <agentd/agent_ref.hpp>

namespace agentd::detail {

class CallContext;

/// What an `AgentRef` points to: the way to one agent. Thread-safe.
class Target : public std::enable_shared_from_this<Target> {
public:
  virtual ~Target() = default;
  [[nodiscard]] virtual const AgentAddress& address() const = 0;
  /// The same, for who does not hand it on.
  [[nodiscard]] virtual AgentAddress whereabouts() const { return address(); }
  /// A call from outside any agent.
  virtual Message call(std::string_view method, const Message& input, const CallOptions& options) = 0;
  /// A call from inside one: its context makes it.
  virtual Message call_from(CallContext& context, std::string_view method, const Message& input,
                            const CallOptions& options);
  virtual AgentRef clone() = 0;
  virtual AgentRef to_dist(const DistOptions& options) = 0;
};

/// Turns the address that an agent reference carries into a target. A program that links the SDK
/// installs its session's; without one, a target that only works inside an agent is made.
using TargetResolver = std::function<std::shared_ptr<Target>(const AgentAddress&)>;
void set_target_resolver(TargetResolver resolver);

}  // namespace agentd::detail
