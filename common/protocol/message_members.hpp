#pragma once

#include <array>
#include <string_view>

/// The members of a message on the wire. Inside this room only.
namespace agentd::protocol {

namespace message_member {

enum Index : unsigned { content, name, role, metadata, id, timestamp, count };

inline constexpr std::array<std::string_view, count> names = {"content",  "name", "role",
                                                              "metadata", "id",   "timestamp"};

/// `count` for a name that is none of them.
[[nodiscard]] inline Index of(std::string_view key) {
  for (unsigned i = 0; i < count; ++i) {
    if (key == names[i]) return static_cast<Index>(i);
  }
  return count;
}

}  // namespace message_member

}  // namespace agentd::protocol
