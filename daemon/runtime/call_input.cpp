#include "daemon/runtime/call_input.hpp"

#include "common/json/text.hpp"

namespace agentd::runtime {

using detail::MessageData;

namespace {

std::size_t bytes_of(const MessageData& message) {
  return (message.content ? message.content->size() : 0) + (message.metadata ? message.metadata->size() : 0);
}

}  // namespace

CallInput::CallInput(protocol::Input input) : input_(std::move(input)) {
  for (const auto& part : input_.parts) add_slots_of(part);
}

CallInput::CallInput(MessageData message) {
  assembled_bytes_ = bytes_of(message);
  input_.parts.emplace_back().message = std::move(message);
}

CallInput::CallInput(const Message& message) {
  if (message.empty()) return;
  if (message.parts().empty() && message.cell()->parts().empty()) {
    add_message(message);
    return;
  }
  input_.list = true;
  for (const Message& part : message.parts()) add_message(part);
}

void CallInput::add_slots_of(const protocol::InputPart& part) {
  if (part.whole) return add_slot({part.whole, nullptr});
  assembled_bytes_ += bytes_of(part.message);
  for (const protocol::Hole& hole : part.holes) {
    assembled_bytes_ += hole.literal.size();
    if (hole.placeholder) add_slot({hole.placeholder, nullptr});
  }
}

void CallInput::add_slot(Source source) {
  sources_.push_back(std::move(source));
  fillings_.emplace_back();
  ++open_;
}

void CallInput::add_message(const Message& message) {
  protocol::InputPart& part = input_.parts.emplace_back();
  if (message.empty()) return;
  if (message.parts().empty() && message.ready() && !message.error()) {
    part.message = message.cell()->read();
    assembled_bytes_ += bytes_of(part.message);
  } else {
    part.whole.emplace();
    add_slot({message.placeholder(), message.cell()});
  }
}

void CallInput::fill(std::size_t slot, MessageData message) {
  assembled_bytes_ += bytes_of(message);
  fillings_[slot] = std::move(message);
  sources_[slot].interest.reset();
  --open_;
}

Message CallInput::assemble_part(const protocol::InputPart& part, std::size_t& slot) const {
  if (part.whole) return Message(detail::Cell::make(fillings_[slot++]));
  MessageData message = part.message;
  if (!part.holes.empty()) {
    std::vector<detail::SharedText> contents;
    contents.reserve(part.holes.size());
    for (const protocol::Hole& hole : part.holes) {
      contents.push_back(hole.placeholder ? fillings_[slot++].content : detail::SharedText());
    }
    message.content = detail::SharedText(protocol::fill(part, contents));
  }
  if (!message.content && !input_.list) return {};
  return Message(detail::Cell::make(std::move(message)));
}

Message CallInput::assemble() const {
  std::size_t slot = 0;
  if (!input_.list) return input_.parts.empty() ? Message() : assemble_part(input_.parts.front(), slot);
  std::vector<Message> messages;
  messages.reserve(input_.parts.size());
  for (const auto& part : input_.parts) messages.push_back(assemble_part(part, slot));
  return Message::inputs(std::move(messages));
}

void CallInput::forget_values() {
  fillings_.clear();
  for (Source& source : sources_) {
    source.cell.reset();
    source.interest.reset();
  }
}

std::string CallInput::fingerprint() const {
  std::string text = input_.list ? "[" : "";
  std::size_t slot = 0;
  for (const auto& part : input_.parts) {
    if (part.whole) {
      protocol::append_placeholder(text, sources_[slot++].placeholder.value_or(*part.whole));
    } else {
      for (const protocol::Hole& hole : part.holes) slot += hole.placeholder ? 1 : 0;
      std::string message;
      protocol::append_message(message, part.message);
      text += json::canonical(message);
    }
    text += ',';
  }
  return text;
}

std::size_t CallInput::bytes() const {
  std::size_t total = 0;
  for (const auto& part : input_.parts) {
    total += sizeof part;
    total += bytes_of(part.message);
    for (const auto label :
         {detail::Label::name, detail::Label::role, detail::Label::id, detail::Label::timestamp}) {
      total += part.message.labels.token(label).size();
    }
  }
  return total + sources_.size() * sizeof(Source);
}

}  // namespace agentd::runtime
