#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <agentd/ids.hpp>
#include <agentd/message.hpp>

namespace agentd {

namespace detail {
class Target;
}

/// Settings of one call.
struct CallOptions {
  /// How long until the call settles at the latest; the agent's or the node's default where not given.
  std::optional<std::chrono::milliseconds> deadline = {};
};

/// Where `to_dist` puts an agent.
///
/// With `launch_server` (the default), an agent server process of this program is started on this
/// machine, on a free port, and ends with this program. Without it, the agent goes to the server
/// that runs on `host:port` already, both of which it needs.
struct DistOptions {
  std::string host = "127.0.0.1";
  /// For `launch_server`: 0 takes a free one.
  std::optional<std::uint16_t> port = {};
  bool launch_server = true;
  /// A server that `to_dist` launched before, to be shared: pass that agent's address.
  std::optional<NodeAddress> share = {};
  /// The agent's id there, which no other agent there may have; minted where empty.
  std::string id = {};
};

/// A proxy for an agent, local or distributed: the code that calls it cannot tell which.
///
///     agentd::AgentRef writer = agentd::make<Writer>({{"name", "A"}}).to_dist();
///     agentd::Message draft = writer("tides");
///
/// Calls return at once. Calls of one program to one agent run in the order they were made, one at
/// a time. Cheap to copy: copies are the same agent. Thread-safe, though two threads that call the
/// same agent decide the order between themselves.
///
/// A default-constructed reference names no agent; calling it throws `std::logic_error`.
class AgentRef {
public:
  AgentRef() = default;

  /// Calls `reply`.
  Message operator()(const Message& input = {}) const { return call("reply", input); }
  /// Calls `reply` with a join.
  Message operator()(std::initializer_list<Message> inputs) const {
    return call("reply", Message::inputs(inputs));
  }
  /// Calls a method by name. Fails (in the message) with `invalid_params` for one the agent lacks.
  Message call(std::string_view method, const Message& input = {}, const CallOptions& options = {}) const;
  /// Lets the agent take a message into its memory; the answer's content is null.
  Message observe(const Message& input) const { return call("observe", input); }

  /// The same agent, called with these options from here on: by copies of the answer, and by what its `clone`
  /// and `to_dist` answer, too.
  [[nodiscard]] AgentRef with(const CallOptions& options) const;

  /// A copy of the agent beside it, with the state that a call made now would see. Waits for it.
  /// Throws `Error`.
  [[nodiscard]] AgentRef clone() const;

  /// Moves a local agent, with its state, to where `options` say, and answers the proxy for it.
  /// Waits until it is there. Of two threads that move one agent, one does, and both get the same proxy.
  /// Throws `Error`: `peer_unreachable`, `type_not_found`, `conflict` where the id is taken, and so on;
  /// `std::logic_error` where a launch is asked for and `agentd::init` was not called.
  AgentRef to_dist(const DistOptions& options = {}) const;

  /// The agent's id and where it lives; the node is empty for an agent local to this program.
  [[nodiscard]] const std::string& id() const;
  [[nodiscard]] const AgentAddress& address() const;

  [[nodiscard]] explicit operator bool() const { return target_ != nullptr; }

  /// For the library's own parts.
  explicit AgentRef(std::shared_ptr<detail::Target> target) : target_(std::move(target)) {}
  [[nodiscard]] const std::shared_ptr<detail::Target>& target() const { return target_; }

private:
  std::shared_ptr<detail::Target> target_;
  CallOptions options_;
};

/// A reference travels as `{"$agent": {"host", "port", "agent"}}`, in arguments and in content.
/// Reading one throws `Error` (`invalid_params`) where the JSON is no agent reference.
void to_json(Json& json, const AgentRef& agent);
void from_json(const Json& json, AgentRef& agent);

}  // namespace agentd
