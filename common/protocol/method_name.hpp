#pragma once

#include <cstddef>
#include <string_view>

namespace agentd::protocol {

inline constexpr std::size_t longest_method = 128;

/// Whether it may be the name of a method. Inside this room only.
[[nodiscard]] inline bool is_method(std::string_view text) {
  return !text.empty() && text.size() <= longest_method;
}

}  // namespace agentd::protocol
