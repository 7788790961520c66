#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/vocabulary/pool.hpp"

namespace agentd::detail {

/// A text that several hold and nobody changes, or a slice of one. Null by default.
///
///     const SharedText whole = SharedText::copy(frame);
///     const SharedText content = whole.slice(found);      // lives as long as any of the two
///
/// Cheap to copy. Thread-safe.
class SharedText {
public:
  SharedText() = default;
  SharedText(std::string text) {
    auto owned = std::make_shared<const std::string>(std::move(text));
    text_ = *owned;
    owner_ = std::move(owned);
  }
  /// In one allocation.
  [[nodiscard]] static SharedText copy(std::string_view text) {
    auto owned = std::allocate_shared_for_overwrite<char[]>(PoolAllocator<char>(), text.size() + 1);
    text.copy(owned.get(), text.size());
    const std::string_view copied(owned.get(), text.size());
    return {std::move(owned), copied};
  }

  /// `part` as long as this text lives. @pre it points into this text
  [[nodiscard]] SharedText slice(std::string_view part) const { return {owner_, part}; }

  explicit operator bool() const { return owner_ != nullptr; }
  const std::string_view& operator*() const { return text_; }
  const std::string_view* operator->() const { return &text_; }
  /// How many hold the text, or a slice of it. As for `std::shared_ptr`, true for the moment only.
  [[nodiscard]] long use_count() const { return owner_.use_count(); }

private:
  SharedText(std::shared_ptr<const void> owner, std::string_view text)
      : owner_(std::move(owner)), text_(text) {}

  std::shared_ptr<const void> owner_;
  std::string_view text_;
};

}  // namespace agentd::detail
