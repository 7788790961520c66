#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// UTF-8, checked and mended. Inside this room only.
namespace agentd::json {

[[nodiscard]] bool is_ascii(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);
/// Where the first byte stands that is no part of valid UTF-8; the size where there is none.
[[nodiscard]] std::size_t utf8_fault(std::string_view text);
/// The text with U+FFFD for each piece that is no valid UTF-8.
[[nodiscard]] std::string mended_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t code_point);

}  // namespace agentd::json
