#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/vocabulary/shared_text.hpp"

namespace agentd::detail {

enum class Label : std::uint8_t { name, role, id, timestamp };
inline constexpr std::size_t label_count = 4;

/// A message's short texts. They stay the JSON strings that came until somebody reads one: most are only
/// passed on.
class Labels {
public:
  /// JSON strings, by `Label`, valid by construction; an empty one is not given.
  using Tokens = std::array<std::string_view, label_count>;
  /// As people read them; an empty one is not given.
  struct Plain {
    std::string_view name = {};
    std::string_view role = {};
    std::string_view id = {};
    std::string_view timestamp = {};
  };

  Labels() = default;
  /// @pre the tokens point into `text`
  Labels(SharedText text, const Tokens& tokens) : text_(std::move(text)), tokens_(tokens) {}
  /// Bytes that are no valid UTF-8 become U+FFFD.
  explicit Labels(const Plain& texts);
  /// As `tokens`, in a text of their own.
  [[nodiscard]] static Labels copy(const Tokens& tokens);

  [[nodiscard]] std::string_view token(Label label) const { return tokens_[static_cast<std::size_t>(label)]; }
  [[nodiscard]] std::string text(Label label) const;

private:
  SharedText text_;
  Tokens tokens_;
};

/// A message's members as they travel. `content` and `metadata` are JSON, valid by construction; null means
/// not given.
struct MessageData {
  SharedText content;
  SharedText metadata;
  Labels labels;
};

}  // namespace agentd::detail
