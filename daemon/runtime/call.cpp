#include "daemon/runtime/call.hpp"

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
