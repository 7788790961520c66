#include "daemon/runtime/call.hpp"

#include <algorithm>

#include "common/protocol/values.hpp"
#include "daemon/runtime/hosted_agent.hpp"
#include "daemon/runtime/run_context.hpp"

namespace agentd::runtime {

Call::Call() = default;
Call::~Call() = default;

std::string_view state_name(CallState state) {
  switch (state) {
    case CallState::waiting:
      return "waiting";
    case CallState::queued:
      return "queued";
    case CallState::running:
      return "running";
    case CallState::done:
      return "done";
    case CallState::failed:
      return "failed";
    case CallState::cancelled:
      return "cancelled";
  }
  return "failed";
}

bool Call::was_made_by(std::uint64_t connection) const {
  return connection != 0 && (origin == connection ||
                             std::find(joined_by.begin(), joined_by.end(), connection) != joined_by.end());
}

bool Call::is_awaited() const {
  return !dependents.empty() || lane_next ||
         std::any_of(watches.begin(), watches.end(),
                     [](const Watch& watch) { return watch.watcher->waits_elsewhere(); });
}

detail::MessageData Call::message() const {
  detail::MessageData message;
  message.content = content;
  message.metadata = metadata;
  std::string timestamp;
  protocol::append_timestamp(timestamp, settled);
  message.labels = detail::Labels({agent->name(), "assistant", id.text(), timestamp});
  return message;
}

}  // namespace agentd::runtime
