#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include <agentd/agent.hpp>

#include "common/async/loop.hpp"
#include "daemon/runtime/runtime.hpp"
#include "daemon/runtime/type_table.hpp"
#include "sdk/src/session_nodes.hpp"

namespace agentd::sdk {

class LocalAgent;

/// Where this program's own agents run: a runtime without a socket, on a loop thread of its own.
///
/// Made when it is first needed, and never destroyed. At exit its agents are stopped, and workers
/// waited for, for a moment at most. Thread-safe where not said otherwise.
class LocalHost {
public:
  static LocalHost& instance();

  /// Drops it, sooner or later, where the program is about to end.
  void post(std::function<void(runtime::Runtime&)> work);
  /// As `post`, but at once where this is the loop's thread.
  void enter(std::function<void(runtime::Runtime&)> work);
  [[nodiscard]] bool on_loop() const { return gate_->on_loop(); }
  [[nodiscard]] const std::shared_ptr<runtime::RuntimeGate>& gate() const { return gate_; }

  /// Local agents by id, for references that name one.
  void add(const std::shared_ptr<LocalAgent>& agent);
  void forget(const std::string& id);
  [[nodiscard]] std::shared_ptr<LocalAgent> find(const std::string& id);

  /// Loop thread only: makes the type known, and answers its name in the runtime, which differs from
  /// its own where two types have the same one.
  [[nodiscard]] Result<std::string> know(const AgentType& type);

private:
  LocalHost();
  void stop_at_exit();

  async::Loop loop_;
  runtime::TypeTable types_;
  std::unordered_map<const AgentType*, std::string> type_names_;
  SessionNodes nodes_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::shared_ptr<runtime::RuntimeGate> gate_;

  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<LocalAgent>> agents_;
};

}  // namespace agentd::sdk
