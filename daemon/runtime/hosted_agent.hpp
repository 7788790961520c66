#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <agentd/agent.hpp>

#include "common/protocol/params.hpp"
#include "daemon/runtime/mailbox.hpp"

namespace agentd::runtime {

/// One agent of this node: who it is, its state, its mailbox. One call runs at a time.
/// Made and owned by the runtime; loop thread only, but for `body`, which the running call's worker
/// uses. Outlives its deletion as long as calls of it are remembered.
struct HostedAgent : LoopCounted<HostedAgent> {
  /// What few agents have, or many have alike: kept aside, so that an idle agent stays small.
  struct Settings {
    /// Empty: the type's name.
    std::string name;
    protocol::AgentOptions options;
    /// JSON text.
    std::string args = "{}";

    bool operator==(const Settings&) const = default;
  };

  // First, where they fit in beside the count of references.
  bool deleted = false;
  /// In the queue of agents that may have something to run.
  bool scheduled = false;
  std::string id;
  const AgentType* type = nullptr;
  /// Null: all as it is where nothing was said. Agents made one after the other alike share theirs.
  std::shared_ptr<const Settings> settings;
  std::chrono::system_clock::time_point created;

  std::unique_ptr<Agent> body;
  Mailbox mailbox;
  /// The call that runs, settled for its callers or not; null when the agent is idle.
  CallPtr running;
  std::uint64_t calls = 0;
  std::uint64_t seq = 0;

  // Its place in the list of all agents in the order of creation.
  HostedAgent* next = nullptr;
  HostedAgent* previous = nullptr;

  [[nodiscard]] std::string_view own_name() const { return settings ? std::string_view(settings->name) : ""; }
  [[nodiscard]] const std::string& name() const { return own_name().empty() ? type->name : settings->name; }
  [[nodiscard]] std::string_view args() const { return settings ? std::string_view(settings->args) : "{}"; }
  [[nodiscard]] std::string_view claim() const {
    return settings ? std::string_view(settings->options.claim) : "";
  }
  [[nodiscard]] bool keeps_order() const {
    return !settings || settings->options.ordering == protocol::Ordering::caller;
  }
};
using AgentPtr = boost::intrusive_ptr<HostedAgent>;

/// What `save` answers, where that can be sent: fails with `agent_failed` where it threw, or where its
/// answer is too deep or no valid UTF-8.
[[nodiscard]] Result<Json> saved_state(const Agent& agent);
/// An agent of that type; `state` is JSON text, or empty for none to restore. Fails with `agent_failed`
/// and the text of what was thrown.
[[nodiscard]] Result<std::unique_ptr<Agent>> made_agent(const AgentType& type, std::string_view args,
                                                        std::string_view state);

}  // namespace agentd::runtime
