#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace agentd::json {

/// Reads a text that is expected to stand as one of our own writers writes it, the same members in the same
/// order and no white space between them, and that nothing has checked yet: checks what it takes, once.
///
///     CheckingForm form(text, 64);
///     if (form.past(R"({"id":)") && form.string(id) && form.past("}") && form.at_end() && form.is_utf8()) {
///       return id;   // `check` would have passed the text
///     }
///     // otherwise `check` says what is wrong with it, or that it only stands otherwise
///
/// A step that is false may have moved, but for `past`: the form is of no further use then.
class CheckingForm {
public:
  /// `value` takes what is nested `max_depth` deep at most.
  CheckingForm(std::string_view text, unsigned max_depth)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), max_depth_(max_depth) {}

  template <std::size_t size>
  bool past(const char (&literal)[size]) {
    constexpr std::size_t length = size - 1;
    if (static_cast<std::size_t>(end_ - at_) < length || std::memcmp(at_, literal, length) != 0) return false;
    at_ += length;
    return true;
  }
  /// A string without escapes: its token, quotes included.
  bool string(std::string_view& token);
  /// As `string`: what stands between the quotes.
  bool plain_text(std::string_view& text);
  /// Any value.
  bool value(std::string_view& value);
  [[nodiscard]] const char* at() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  /// Whether the whole text is valid UTF-8, where all of it was taken.
  [[nodiscard]] bool is_utf8() const;

private:
  const char* begin_;
  const char* at_;
  const char* end_;
  unsigned max_depth_;
  /// Not zero where some byte is none of ASCII. @see scan::plain_text_end
  std::uint64_t high_ = 0;
};

}  // namespace agentd::json
