#include "daemon/agents/content.hpp"

#include <utility>

#include "common/vocabulary/cell.hpp"

namespace agentd::agents {
namespace {

Message from_shared(detail::SharedText text) {
  detail::MessageData data;
  data.content = std::move(text);
  return Message(detail::Cell::make(std::move(data)));
}

}  // namespace

Message from_text(std::string json_text) { return from_shared(detail::SharedText(std::move(json_text))); }

Message content_of(const Message& input) {
  if (input.empty()) return input;
  const detail::MessageData& data = input.cell()->read();
  return data.metadata ? from_shared(data.content) : input;
}

}  // namespace agentd::agents
