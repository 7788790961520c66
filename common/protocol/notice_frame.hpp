#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <agentd/ids.hpp>

#include "common/json/checking_form.hpp"

/// Frames with nothing but notices of one form, alone or in a batch. Inside this room only.
namespace agentd::protocol::notice_frame {

/// A frame is closed at 32 KiB, which is some 200 notices: room for more is not kept.
inline constexpr std::size_t kept_notices = 1024;

template <typename Notice>
void clear(std::vector<Notice>& notices) {
  notices.clear();
  if (notices.capacity() > kept_notices) notices.shrink_to_fit();
}

[[nodiscard]] inline bool take_call_id(json::CheckingForm& form, CallId& id) {
  std::string_view text;
  if (!form.plain_text(text)) return false;
  const auto parsed = CallId::parse(text);
  if (parsed) id = *parsed;
  return parsed.has_value();
}

/// `take(form)` takes one notice. False where there is anything else in the text, or anything wrong.
template <typename Take>
[[nodiscard]] bool read(std::string_view text, unsigned max_depth, Take take) {
  json::CheckingForm form(text, max_depth);
  const bool batch = form.past("[");
  do {
    if (!take(form)) return false;
  } while (batch && form.past(","));
  return (!batch || form.past("]")) && form.at_end() && form.is_utf8();
}

}  // namespace agentd::protocol::notice_frame
