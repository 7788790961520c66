#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <agentd/error.hpp>
#include <agentd/ids.hpp>

namespace agentd::rpc {

/// What the methods know of the node they run in. Constant from the start on.
struct NodeFacts {
  std::string name = "agentd";
  std::string version;
  NodeAddress address;
  std::string boot;
  std::chrono::steady_clock::time_point started;
};

/// What the methods may do to the node. Loop thread only.
class NodeControl {
public:
  virtual ~NodeControl() = default;
  virtual void drain() = 0;
  /// Begins to stop; the answer still goes out.
  virtual void stop(std::optional<std::chrono::milliseconds> grace) = 0;
  /// A notification was dropped: nobody can be told that its call does not run.
  virtual void dropped(const CallId& call, const Error& why) = 0;
  /// Counts for `/metrics`, in Prometheus' text format, of what the runtime does not know.
  virtual void append_metrics(std::string& out) const = 0;
};

}  // namespace agentd::rpc
