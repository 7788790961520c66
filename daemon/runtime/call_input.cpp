#include "daemon/runtime/call_input.hpp"

#include "common/json/text.hpp"

namespace agentd::runtime {

using detail::MessageData;

CallInput::CallInput(protocol::Input input) : list_(input.list) {
  parts_.reserve(input.parts.size());
  for (auto& part : input.parts) add_part(std::move(part));
}

CallInput::CallInput(const Message& message) {
  if (message.empty()) return;
  if (message.parts().empty() && message.cell()->parts().empty()) {
    add_message(message);
    return;
  }
  list_ = true;
  for (const Message& part : message.parts()) add_message(part);
}

void CallInput::add_part(protocol::InputPart part) {
  const std::size_t first = sources_.size();
  if (part.whole) {
    add_slot({part.whole, nullptr});
  } else {
    for (const protocol::Hole& hole : part.holes) {
      if (hole.placeholder) add_slot({hole.placeholder, nullptr});
    }
  }
  parts_.push_back({std::move(part), first});
}

void CallInput::add_slot(Source source) {
  sources_.push_back(std::move(source));
  fillings_.emplace_back();
  ++open_;
}

void CallInput::add_message(const Message& message) {
  Part part;
  part.first_slot = sources_.size();
  if (message.empty()) {
    parts_.push_back(std::move(part));
    return;
  }
  if (message.parts().empty() && message.ready() && !message.error()) {
    part.input.message = message.cell()->read();
  } else {
    part.input.whole.emplace();
    add_slot({message.placeholder(), message.cell()});
  }
  parts_.push_back(std::move(part));
}

void CallInput::fill(std::size_t slot, MessageData message) {
  fillings_[slot] = std::move(message);
  --open_;
}

Message CallInput::assemble_part(const Part& part) const {
  const protocol::InputPart& input = part.input;
  if (input.whole) return Message(std::make_shared<detail::Cell>(fillings_[part.first_slot]));
  MessageData message = input.message;
  if (!input.holes.empty()) {
    std::vector<detail::SharedText> contents;
    contents.reserve(input.holes.size());
    std::size_t slot = part.first_slot;
    for (const protocol::Hole& hole : input.holes) {
      contents.push_back(hole.placeholder ? fillings_[slot++].content : nullptr);
    }
    message.content = std::make_shared<const std::string>(protocol::fill(input, contents));
  }
  if (!message.content && !list_) return {};
  return Message(std::make_shared<detail::Cell>(std::move(message)));
}

Message CallInput::assemble() const {
  if (!list_) return parts_.empty() ? Message() : assemble_part(parts_.front());
  std::vector<Message> messages;
  messages.reserve(parts_.size());
  for (const Part& part : parts_) messages.push_back(assemble_part(part));
  return Message::inputs(std::move(messages));
}

void CallInput::forget_values() {
  fillings_.clear();
  for (Source& source : sources_) source.cell.reset();
}

std::string CallInput::fingerprint() const {
  std::string text = list_ ? "[" : "";
  for (const Part& part : parts_) {
    const protocol::InputPart& input = part.input;
    if (input.whole) {
      protocol::append_placeholder(text, sources_[part.first_slot].placeholder.value_or(*input.whole));
    } else {
      std::string message;
      protocol::append_message(message, input.message);
      text += json::canonical(message);
    }
    text += ',';
  }
  return text;
}

std::size_t CallInput::bytes() const {
  std::size_t total = 0;
  for (const Part& part : parts_) {
    total += sizeof(Part);
    if (part.input.message.content) total += part.input.message.content->size();
  }
  return total + sources_.size() * sizeof(Source);
}

}  // namespace agentd::runtime
