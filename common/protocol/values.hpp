#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <agentd/ids.hpp>
#include <agentd/message.hpp>

#include "common/protocol/result.hpp"
#include "common/vocabulary/cell.hpp"
#include "common/vocabulary/pool.hpp"

namespace agentd::json {
class Ends;
}

/// Messages, placeholders and agent references as they stand on the wire. Where a reader takes `ends`,
/// they are of the frame that the text stands in, and save it from looking through what it skips.
namespace agentd::protocol {

/// A place in a content's text that is filled in before the call runs.
struct Hole {
  std::size_t offset = 0;
  std::size_t length = 0;
  /// Becomes the content of that call's outcome; without one, `literal` takes the place.
  std::optional<Placeholder> placeholder;
  std::string literal;
};

/// One element of an input: a message (perhaps with holes in its content), or a placeholder that
/// becomes the whole message.
struct InputPart {
  std::optional<Placeholder> whole;
  /// Of a message; its content is the text with its holes unfilled.
  detail::MessageData message;
  /// In order of offset.
  std::vector<Hole> holes;
};

/// The `input` of a call, as read from the wire.
struct Input {
  /// An array on the wire: a join.
  bool list = false;
  /// One part where `list` is false, none for no input.
  std::vector<InputPart, detail::PoolAllocator<InputPart>> parts;
};

/// Reads `input`. `text` is checked JSON; empty or `null` is no input. `check_depth` says that the
/// frame was deep enough for a content to pass the limit. Fails with `invalid_params`
/// (a malformed placeholder, an unknown member beside `content`), `invalid_request` (a member
/// twice in a message's envelope) or `parse_error` (too deep).
[[nodiscard]] Result<Input> read_input(std::string_view text, bool check_depth,
                                       const json::Ends* ends = nullptr);

/// Puts the contents into the holes. `fillings` has the content of each hole's placeholder, in
/// order; a literal hole's entry is not looked at.
[[nodiscard]] std::string fill(const InputPart& part, const std::vector<detail::SharedText>& fillings);

/// Whether the text, as a content, would be taken for a placeholder or a literal, somewhere in it.
[[nodiscard]] bool needs_literal(std::string_view content);

/// Appends a message object: `{"content":…}` and the members that are given.
void append_message(std::string& out, const detail::MessageData& message);
/// As `append_message`, for a call's input: wraps a content that needs it in `$literal`.
void append_input_message(std::string& out, const detail::MessageData& message);
/// A message's members as they stand in a checked text; those that are not given are empty.
struct MessageText {
  /// The message.
  std::string_view whole;
  std::string_view content;
  std::string_view metadata;
  detail::Labels::Tokens labels;
};
/// Copies it as a whole where there is little beside the content, which then keeps that in memory: half a KiB
/// at most. @pre the members stand in `whole`, which has a content
[[nodiscard]] detail::MessageData copy_message(const MessageText& text);
/// Reads an outcome's `value`: all members are taken as they are, nothing is scanned.
[[nodiscard]] Result<detail::MessageData> read_message(std::string_view text,
                                                       const json::Ends* ends = nullptr);

void append_placeholder(std::string& out, const Placeholder& placeholder);
[[nodiscard]] Result<Placeholder> read_placeholder(std::string_view text);

/// RFC 3339 in UTC with microseconds.
void append_timestamp(std::string& out, std::chrono::system_clock::time_point time);

}  // namespace agentd::protocol
