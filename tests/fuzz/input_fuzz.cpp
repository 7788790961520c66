#include <cstdint>
#include <string>
#include <string_view>

#include "common/json/text.hpp"
#include "common/protocol/values.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

constexpr unsigned deep = 128;

/// What an agent answered is never scanned: sent on, it arrives as it is.
void check_sent_on(const detail::MessageData& message, const std::string& content) {
  detail::MessageData sent = message;
  sent.content = detail::SharedText(content);
  std::string text;
  append_input_message(text, sent);
  const Result<Input> arrived = read_input(text, true);
  require(arrived.has_value() && arrived->parts.size() == 1, "a message that is sent on is read");
  const InputPart& part = arrived->parts[0];
  require(part.holes.empty() && *part.message.content == content, "a content arrives as it was sent");
  require(part.message.labels.text(detail::Label::name) == message.labels.text(detail::Label::name) &&
              part.message.labels.text(detail::Label::id) == message.labels.text(detail::Label::id),
          "so do the other members");
}

void check_part(const InputPart& part) {
  if (part.whole) {
    require(part.whole->node.port != 0 && !part.whole->node.host.empty() && !part.whole->call.empty(),
            "a placeholder is complete");
    return;
  }
  const std::vector<detail::SharedText> fillings(part.holes.size(), detail::SharedText("[1]"));
  const std::string filled = fill(part, fillings);
  require(!json::check(filled, deep), "a filled content is JSON");
  if (part.holes.empty()) require(filled == *part.message.content, "without holes nothing is filled in");
  if (json::depth_of(filled) <= json::max_content_depth) check_sent_on(part.message, filled);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (json::check(text, json::max_content_depth + json::max_envelope_depth)) return 0;
  (void)needs_literal(text);
  const Result<Input> input = read_input(text, true);
  if (!input) return 0;
  require(input->list || input->parts.size() <= 1, "what is no list has one part at most");
  for (const InputPart& part : input->parts) check_part(part);
  return 0;
}
