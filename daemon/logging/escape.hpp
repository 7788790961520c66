#pragma once

#include <string>
#include <string_view>

namespace agentd::logging {

/// Appends `text` with the escapes of a JSON string, so that it stays on its line and shows what it
/// is: control characters (those of 8-bit terminals too), line separators and the characters that
/// turn the direction of writing become `\uXXXX`. Bytes that are no UTF-8 become `bad_byte(byte)`.
void append_escaped(std::string& out, std::string_view text, std::string (*bad_byte)(unsigned char));

/// `\xNN`, for people.
[[nodiscard]] std::string hexadecimal(unsigned char byte);
/// U+FFFD, for JSON, which has no way to write a byte.
[[nodiscard]] std::string replacement(unsigned char byte);

}  // namespace agentd::logging
