#include "sdk/src/input_text.hpp"

#include "common/protocol/values.hpp"
#include "sdk/src/remote_call.hpp"

namespace agentd::sdk {
namespace {

using detail::Cell;

/// Where the target can ask for the outcome; nothing where it has to be sent by value.
std::optional<Placeholder> reference_for(const Cell& cell, const SessionNode& target) {
  if (const RemoteCall* call = remote_call_of(cell)) {
    if (call->node().loopback && !target.loopback) return std::nullopt;
    return Placeholder{call->node().address, call->id()};
  }
  if (!cell.source()) return std::nullopt;
  auto placeholder = cell.source()->placeholder();
  if (placeholder && is_loopback(placeholder->node.host) && !target.loopback) return std::nullopt;
  return placeholder;
}

void append_content(std::string& out, const Message& part, const SessionNode& target);

void append_contents(std::string& out, const std::vector<Message>& parts, const SessionNode& target) {
  out += '[';
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += ',';
    append_content(out, parts[i], target);
  }
  out += ']';
}

/// A part as it stands inside a content: a reference there becomes the other message's content.
void append_content(std::string& out, const Message& part, const SessionNode& target) {
  if (!part.parts().empty()) return append_contents(out, part.parts(), target);
  if (!part.empty()) {
    if (const auto placeholder = reference_for(*part.cell(), target)) {
      return protocol::append_placeholder(out, *placeholder);
    }
  }
  const std::string_view content = part.raw_content();
  const bool literal = protocol::needs_literal(content);
  if (literal) out += R"({"$literal":)";
  out += content;
  if (literal) out += '}';
}

void append_part(std::string& out, const Message& part, const SessionNode& target) {
  if (part.empty()) {
    out += R"({"content":null})";
  } else if (!part.parts().empty()) {
    out += R"({"content":)";
    append_contents(out, part.parts(), target);
    out += '}';
  } else if (const auto placeholder = reference_for(*part.cell(), target)) {
    protocol::append_placeholder(out, *placeholder);
  } else {
    protocol::append_input_message(out, part.cell()->read());
  }
}

bool is_here(const Cell& cell) { return !cell.source() && cell.readable() && !cell.error(); }

}  // namespace

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

PartState part_state(const Cell& cell, const SessionNode& target) {
  // Asked first: what settles on another thread meanwhile has no value yet, or has failed.
  const bool has_outcome = cell.readable();
  if (cell.settled() && cell.error()) return PartState::failed;
  if (const RemoteCall* call = remote_call_of(cell); call && reference_for(cell, target)) {
    return call->state() == RemoteCall::State::held ? PartState::waits_for_sending : PartState::reference;
  }
  if (reference_for(cell, target)) return PartState::reference;
  return has_outcome ? PartState::value : PartState::waits_for_value;
}

void for_each_part(const Message& input, const std::function<void(const std::shared_ptr<Cell>&)>& visit) {
  if (input.empty()) return;
  if (input.parts().empty()) return visit(input.cell());
  for (const Message& part : input.parts()) for_each_part(part, visit);
}

bool is_plain(const Message& input) {
  if (input.empty()) return true;
  if (input.parts().empty()) return is_here(*input.cell());
  for (const Message& part : input.parts()) {
    if (!is_plain(part)) return false;
  }
  return true;
}

std::size_t values_size(const Message& input) {
  if (input.empty()) return 0;
  if (input.parts().empty()) return is_here(*input.cell()) ? input.raw_content().size() : 0;
  std::size_t size = 0;
  for (const Message& part : input.parts()) size += values_size(part);
  return size;
}

void append_input(std::string& out, const Message& input, const SessionNode& target) {
  if (input.empty()) return;
  if (input.parts().empty()) return append_part(out, input, target);
  out += '[';
  bool first = true;
  for (const Message& part : input.parts()) {
    if (!std::exchange(first, false)) out += ',';
    append_part(out, part, target);
  }
  out += ']';
}

}  // namespace agentd::sdk
