#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <agentd/json.hpp>

namespace agentd {

/// What went wrong, for programs. The value is the JSON-RPC code on the wire.
enum class ErrorKind : std::int32_t {
  /// Not JSON, or beyond the depth limit.
  parse_error = -32700,
  /// JSON, but no JSON-RPC 2.0 request.
  invalid_request = -32600,
  method_not_found = -32601,
  /// The params are wrong; repeating the request will not help.
  invalid_params = -32602,
  /// A bug in the node.
  internal = -32603,
  agent_not_found = -32010,
  /// No such agent type; the message lists near names.
  type_not_found = -32011,
  /// The call never existed on that node, was released, or expired.
  call_not_found = -32012,
  /// A bound was reached; nothing was queued. Try again later. `details()["limit"]` names the bound.
  overloaded = -32013,
  deadline_exceeded = -32014,
  cancelled = -32015,
  /// The agent threw; its text is the message.
  agent_failed = -32016,
  /// An input's call failed, so this call did not run. `cause()` is the input's error.
  input_failed = -32017,
  /// The id was used before for something else.
  conflict = -32018,
  /// The node could not be reached. Retryable.
  peer_unreachable = -32019,
  /// The node is not on the list of peers, or did not let us in.
  peer_refused = -32020,
  /// The call would come back to an agent that waits for it. `details()["path"]` is the way it came.
  cycle = -32021,
  /// The node is draining. Retryable on another one.
  shutting_down = -32022,
  /// The call may have run; its outcome is lost.
  outcome_unknown = -32023,
  agent_deleted = -32024,
  agent_crashed = -32025,
  not_supported = -32026,
};

/// The name on the wire: `data.kind`.
[[nodiscard]] std::string_view kind_name(ErrorKind kind);
/// The kind with that name; `internal` for a name this version does not know.
[[nodiscard]] ErrorKind kind_from_name(std::string_view name);
/// Whether the same request may succeed later (or, for `shutting_down`, elsewhere).
[[nodiscard]] bool is_retryable(ErrorKind kind);

/// A failure, as it stands on the wire: kind, message, where it happened, and the chain of causes
/// down to the agent that failed first.
///
/// A value: cheap to copy (the cause is shared and immutable). Not thread-safe to modify.
class Error : public std::exception {
public:
  /// `internal`, without a message: the error of a result that has none.
  Error() = default;
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] int code() const { return static_cast<int>(kind_); }
  [[nodiscard]] bool retryable() const { return is_retryable(kind_); }
  /// For people: what is wrong, with which value, and what would be right.
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  /// The failed call, agent and node (`host:port`); empty where unknown.
  [[nodiscard]] const std::string& call() const { return call_; }
  [[nodiscard]] const std::string& agent() const { return agent_; }
  [[nodiscard]] const std::string& node() const { return node_; }

  /// The error that led to this one; null at the root.
  [[nodiscard]] const Error* cause() const { return cause_.get(); }
  /// The error at the end of the chain: what failed first.
  [[nodiscard]] const Error& root() const;
  /// How many links were left out between this error and its cause.
  [[nodiscard]] unsigned elided() const { return elided_; }
  /// Further members of `data`, such as `limit` or `path`; null where there are none.
  [[nodiscard]] const Json& details() const { return details_; }

  Error& at_call(std::string_view call) {
    call_ = call;
    return *this;
  }
  Error& at_agent(std::string_view agent) {
    agent_ = agent;
    return *this;
  }
  Error& at_node(std::string_view node) {
    node_ = node;
    return *this;
  }
  /// Adds the cause. A chain that would pass `max_chain` links loses its middle, never its root.
  Error& because(Error cause);
  Error& with_elided(unsigned links) {
    elided_ = links;
    return *this;
  }
  Error& with(std::string_view member, Json value);

  /// How long a chain of causes may become: nested JSON has a depth limit.
  static constexpr unsigned max_chain = 24;

private:
  ErrorKind kind_ = ErrorKind::internal;
  unsigned elided_ = 0;
  std::string message_;
  std::string call_;
  std::string agent_;
  std::string node_;
  std::shared_ptr<const Error> cause_;
  Json details_;
};

}  // namespace agentd
