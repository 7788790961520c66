#pragma once

#include <algorithm>
#include <string>
#include <string_view>

/// Letters of ASCII, whose case neither host names (RFC 4343) nor HTTP's grammar look at.
namespace agentd::detail {

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Of a host's name: nodes are told apart by its bytes.
[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  return lowered;
}

}  // namespace agentd::detail
