#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/protocol/result.hpp"

namespace agentd::config {

/// The text of a configuration file, ready to be read as JSON: its comments are spaces now, so every
/// byte stands where the author sees it.
///
/// Views into `text()` are places: `where` says which. A value; views die with it.
class Source {
public:
  /// Fails with the file's name and the reason.
  [[nodiscard]] static Result<Source> read(const std::filesystem::path& file);
  /// Fails, with line and column, where a comment is not closed or the rest is not JSON.
  [[nodiscard]] static Result<Source> from_text(std::string name, std::string text);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  /// `NAME:LINE:COLUMN` of the view's first byte; both count from 1.
  /// @pre `view` is a part of `text()`
  [[nodiscard]] std::string where(std::string_view view) const;

private:
  Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
  [[nodiscard]] std::string where(std::size_t offset) const;

  std::string name_;
  std::string text_;
};

/// Replaces `//` and `/* */` comments outside strings by spaces, and leaves line ends alone. Answers
/// the offset of a comment that never ends, or `npos`.
[[nodiscard]] std::size_t blank_comments(std::string& text);

}  // namespace agentd::config
