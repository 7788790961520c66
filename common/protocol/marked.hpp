#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

/// Finds the objects inside a content that stand for something else. Inside this room only.
namespace agentd::protocol {

/// An object whose only member is `$placeholder` or `$literal`.
struct Marked {
  enum class Kind : unsigned char { placeholder, literal };
  Kind kind = Kind::placeholder;
  std::size_t offset = 0;
  std::size_t length = 0;
  /// The text of that only member.
  std::string_view value;
};

/// Those in a checked text, in order; what is inside one is not looked at. One pass, without
/// recursion. A text without `$` costs a search for it.
[[nodiscard]] std::vector<Marked> find_marked(std::string_view text);

}  // namespace agentd::protocol
