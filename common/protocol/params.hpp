#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <agentd/ids.hpp>
#include <agentd/json.hpp>

#include "common/protocol/result.hpp"

namespace agentd::json {
class Ends;
}

/// The params of every method, typed. Each `read` refuses unknown, missing and doubled members and
/// wrong types, with an error that names the member, its value, and what is allowed.
namespace agentd::protocol {

using Milliseconds = std::chrono::milliseconds;

enum class Ordering : std::uint8_t { caller, ready };
enum class SettledMode : std::uint8_t { value, state, automatic };

/// `options` of an agent. Absent members mean the node's default.
struct AgentOptions {
  Ordering ordering = Ordering::caller;
  std::optional<Milliseconds> deadline;
  /// How many calls the mailbox holds.
  std::optional<std::uint32_t> mailbox;
  /// A state to restore: JSON text. How `to_dist` moves an agent.
  std::string state;
  /// Whose creation it is: an agent that is there already is the one asked for only where it was created
  /// with the same claim. Empty: whoever created it.
  std::string claim;

  bool operator==(const AgentOptions&) const = default;
};

struct AgentCreateParams {
  std::string type;
  std::string agent;
  std::string name;
  /// JSON text of an object; `{}` where not given.
  std::string args;
  AgentOptions options;
};

struct AgentCreateManyParams {
  std::string type;
  std::uint64_t count = 0;
  std::string prefix;
  std::string args;
  AgentOptions options;
};

struct AgentCloneParams {
  std::string agent;
  std::string as;
};

/// `agent.get`, `agent.delete`.
struct AgentParams {
  std::string agent;
};

/// `agent.list`, `call.list`.
struct ListParams {
  std::string type;
  std::string agent;
  std::string state;
  std::string cursor;
  std::uint32_t limit = 100;
};

/// Views point into the frame.
struct CallParams {
  std::string_view agent;
  std::string_view method = "reply";
  /// JSON text; empty where not given.
  std::string_view input;
  CallId call;
  std::optional<Milliseconds> deadline;
  std::optional<Milliseconds> wait;
  bool release = false;
  SettledMode settled = SettledMode::value;
  std::string_view caller;
  /// `host:port/agent` of each agent that the call came through.
  std::vector<std::string> path;

  /// For members that were written with escapes.
  std::vector<std::string> storage;
};

struct CallGetParams {
  CallId call;
  std::optional<Milliseconds> wait;
};

/// `call.cancel`.
struct CallIdParams {
  CallId call;
};

/// `call.release`, `call.subscribe`.
struct CallsParams {
  std::vector<CallId> calls;
  Milliseconds grace{0};
};

/// `event.subscribe`: which feeds.
struct EventParams {
  bool agents = false;
  bool calls = false;
  bool node = false;
};

struct StopParams {
  std::optional<Milliseconds> grace;
};

struct NoParams {};

/// `params` is the envelope's params text: empty, an object, or `[]`.
[[nodiscard]] Result<CallParams> read_call_params(std::string_view params, const json::Ends* ends = nullptr);
[[nodiscard]] Result<CallsParams> read_release_params(std::string_view params);
[[nodiscard]] Result<CallsParams> read_subscribe_params(std::string_view params);
[[nodiscard]] Result<CallGetParams> read_call_get_params(std::string_view params);
[[nodiscard]] Result<CallIdParams> read_call_cancel_params(std::string_view params);
[[nodiscard]] Result<ListParams> read_call_list_params(std::string_view params);
[[nodiscard]] Result<AgentCreateParams> read_agent_create_params(std::string_view params);
[[nodiscard]] Result<AgentCreateManyParams> read_agent_create_many_params(std::string_view params);
[[nodiscard]] Result<AgentCloneParams> read_agent_clone_params(std::string_view params);
[[nodiscard]] Result<AgentParams> read_agent_params(std::string_view params, std::string_view method);
[[nodiscard]] Result<ListParams> read_agent_list_params(std::string_view params);
[[nodiscard]] Result<EventParams> read_event_subscribe_params(std::string_view params);
/// `node.drain` and `node.stop`: `grace_ms?`.
[[nodiscard]] Result<StopParams> read_stop_params(std::string_view params);
[[nodiscard]] Result<NoParams> read_no_params(std::string_view params, std::string_view method);

/// `call.settled` and `call.progress`, as the node sends them. Views point into the frame.
struct SettledNotice {
  CallId call;
  std::string_view state;
  /// JSON text; empty where left out.
  std::string_view value;
  std::string_view error;
};
struct ProgressNotice {
  CallId call;
  std::uint64_t seq = 0;
  std::string_view value;
};
[[nodiscard]] Result<SettledNotice> read_settled(std::string_view params, const json::Ends* ends = nullptr);
[[nodiscard]] Result<ProgressNotice> read_progress(std::string_view params);

/// What a call says of itself where it is sent to a node (`agent.call`'s params).
struct OutgoingCall {
  std::string_view agent;
  std::string_view method = "reply";
  /// A call id.
  std::string_view call;
  /// JSON text; empty for no input.
  std::string_view input;
  std::optional<Milliseconds> deadline;
  SettledMode settled = SettledMode::value;
  std::string_view caller;
  const std::vector<std::string>* path = nullptr;
};
void append_call_params(std::string& out, const OutgoingCall& call);

}  // namespace agentd::protocol
