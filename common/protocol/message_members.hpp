#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "common/json/text.hpp"
#include "common/vocabulary/message_data.hpp"

/// The members of a message on the wire. Inside this room only.
namespace agentd::protocol {

namespace message_member {

enum Index : unsigned { content, name, role, metadata, id, timestamp, count };

inline constexpr std::array<std::string_view, count> names = {"content",  "name", "role",
                                                              "metadata", "id",   "timestamp"};

/// `count` for a name that is none of them.
[[nodiscard]] inline Index of(std::string_view key) {
  const auto either = [key](Index index) { return key == names[index] ? index : count; };
  switch (key.size()) {
    case 2:
      return either(id);
    case 4:
      return either(key[0] == 'n' ? name : role);
    case 7:
      return either(content);
    case 8:
      return either(metadata);
    case 9:
      return either(timestamp);
    default:
      return count;
  }
}

/// As `of`, of a key's token: looked at again where the name may be written with escapes.
[[nodiscard]] inline Index of_token(std::string_view token) {
  const Index index = of(token.substr(1, token.size() - 2));
  return index == count && token.find('\\') != std::string_view::npos ? of(json::unquote(token)) : index;
}

/// Those that are short texts, and what they are inside.
inline constexpr std::array<std::pair<Index, detail::Label>, detail::label_count> labels = {
    {{name, detail::Label::name},
     {role, detail::Label::role},
     {id, detail::Label::id},
     {timestamp, detail::Label::timestamp}}};

/// An empty text is one that is not given.
[[nodiscard]] inline std::string_view label_token(std::string_view value) {
  return value == R"("")" ? std::string_view() : value;
}

}  // namespace message_member

}  // namespace agentd::protocol
