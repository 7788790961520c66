#pragma once

#include <array>
#include <string_view>

/// The members of a message on the wire. Inside this room only.
namespace agentd::protocol {

enum MessageMember : unsigned { content, name, role, metadata, id, timestamp, message_members };

inline constexpr std::array<std::string_view, message_members> message_member_names = {
    "content", "name", "role", "metadata", "id", "timestamp"};

/// `message_members` for a name that is none of them.
[[nodiscard]] inline MessageMember message_member(std::string_view key) {
  for (unsigned i = 0; i < message_members; ++i) {
    if (key == message_member_names[i]) return static_cast<MessageMember>(i);
  }
  return message_members;
}

}  // namespace agentd::protocol
