#include "daemon/peers/outgoing_input.hpp"

#include <algorithm>

#include "common/protocol/values.hpp"

namespace agentd::peers {

bool can_be_sent(const Message& input) {
  if (input.empty()) return true;
  if (!input.parts().empty()) {
    return std::all_of(input.parts().begin(), input.parts().end(), can_be_sent);
  }
  return input.placeholder() || input.ready();
}

void when_part_settles(const Message& input, const std::function<void()>& callback) {
  if (can_be_sent(input)) return;
  for (const Message& part : input.parts()) when_part_settles(part, callback);
  if (input.parts().empty()) input.then([callback](const Message&) { callback(); });
}

const Error* failure_of(const Message& input) {
  for (const Message& part : input.parts()) {
    if (const Error* error = failure_of(part)) return error;
  }
  // Where the other node can ask for it, it learns of the failure there.
  const bool here = !input.empty() && input.parts().empty() && !input.placeholder();
  return here && input.ready() ? input.error() : nullptr;
}

Result<void> append_input(std::string& out, const Message& input) {
  if (input.empty()) {
    out += "null";
    return {};
  }
  if (!input.parts().empty()) {
    const char* separator = "[";
    for (const Message& part : input.parts()) {
      out += separator;
      separator = ",";
      if (auto appended = append_input(out, part); !appended) return appended;
    }
    out += ']';
    return {};
  }
  if (const auto placeholder = input.placeholder()) {
    protocol::append_placeholder(out, *placeholder);
    return {};
  }
  if (const Error* error = input.error()) return *error;
  protocol::append_input_message(out, input.cell()->read());
  return {};
}

}  // namespace agentd::peers
