#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/json/text.hpp"

/// How errors show what they are about. Inside this room only.
namespace agentd::protocol {

/// The value as it stands in the text, cut where it is long.
[[nodiscard]] std::string shown(std::string_view value);
[[nodiscard]] std::string in_quotes(std::string_view name);
/// `an object`, `a string`, …
[[nodiscard]] std::string_view type_name(json::Type type);

/// A whole number without fraction and exponent; nothing where `value` is none, or beyond 64 bits.
[[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view value);

[[nodiscard]] inline bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

}  // namespace agentd::protocol
