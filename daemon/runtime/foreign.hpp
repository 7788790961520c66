#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <agentd/ids.hpp>
#include <agentd/message.hpp>

#include "common/protocol/result.hpp"
#include "common/vocabulary/cell.hpp"

namespace agentd::runtime {

/// A call's outcome: the message, or why there is none (`cancelled` included).
using Outcome = Result<detail::MessageData>;

/// A nested call that leaves this node.
struct ForeignCall {
  AgentAddress agent;
  std::string method;
  CallId call;
  /// Perhaps a placeholder, or a join with some. Kept until the call has settled, so that what it
  /// points to is not released before.
  Message input;
  std::chrono::steady_clock::time_point deadline;
  std::string caller;
  std::vector<std::string> path;
};

/// The other nodes, as the runtime sees them: implemented by `peers` in a node, and by the session in
/// a program. Loop thread only; callbacks come on the loop, never from inside the call that
/// registers them, each exactly once, by the deadline plus 2 s whatever happens.
class ForeignNodes {
public:
  using OnOutcome = std::function<void(Outcome)>;
  using OnProgress = std::function<void(std::string_view value)>;
  using Interest = std::shared_ptr<void>;

  virtual ~ForeignNodes() = default;
  /// Asks for the outcome of a call there; waits there for one that has not arrived yet. When what is
  /// returned goes, the outcome is not wanted any more, and need not come.
  [[nodiscard]] virtual Interest watch(const Placeholder& placeholder,
                                       std::chrono::steady_clock::time_point deadline,
                                       OnOutcome on_outcome) = 0;
  virtual void call(ForeignCall call, OnOutcome on_outcome, OnProgress on_progress) = 0;
  virtual void cancel(const Placeholder& placeholder) = 0;
  /// The outcome is no longer needed.
  virtual void release(const Placeholder& placeholder) = 0;
};

}  // namespace agentd::runtime
