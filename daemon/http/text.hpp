#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/vocabulary/letters.hpp"

/// The few string operations that HTTP's grammar needs. ASCII only, by that grammar.
namespace agentd::http {

using detail::lower;
using detail::lower_case;

[[nodiscard]] constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The value of a hexadecimal digit; negative for anything else.
[[nodiscard]] constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// Without the spaces and tabs around it.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Cuts the part up to `separator` off the front of `rest`; all of it where there is none.
[[nodiscard]] constexpr std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return part;
}

/// Nothing where an escape is malformed.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// A few bytes of a stranger's text, fit to stand in a message.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace agentd::http
