#include <algorithm>
#include <array>

#include "common/json/scan.hpp"
#include "common/json/text.hpp"
#include "common/json/utf8.hpp"

namespace agentd::json {
namespace {

/// No caller may ask for more: the stack of open containers is an array.
constexpr unsigned deepest = 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Walks over the text once. Each step answers whether it found what the grammar wants; the first
/// that does not leaves `what_` and `at_`.
class Checker {
public:
  Checker(std::string_view text, unsigned max_depth)
      : begin_(text.data()),
        end_(text.data() + text.size()),
        at_(text.data()),
        max_depth_(std::min(max_depth, deepest)) {}

  bool run() {
    skip_space();
    if (!value()) return false;
    while (depth_ > 0) {
      if (!step()) return false;
    }
    skip_space();
    return at_ == end_ || fail("there is more text behind the value");
  }

  [[nodiscard]] unsigned depth() const { return deepest_seen_; }
  [[nodiscard]] bool beyond_ascii() const { return high_; }
  [[nodiscard]] Fault fault() const {
    const auto offset = static_cast<std::size_t>(at_ - begin_);
    if (too_deep_) return {offset, "nested deeper than " + std::to_string(max_depth_), true};
    return {offset, what_, false};
  }

private:
  bool fail(const char* what) {
    what_ = what;
    return false;
  }

  void skip_space() { at_ = scan::past_space(at_, end_); }

  /// Inside a container: its end, or its next value (of an object, with the key before it).
  bool step() {
    const bool object = stack_[depth_ - 1] == '{';
    skip_space();
    if (at_ == end_) return fail(object ? "an object is not closed" : "an array is not closed");
    if (*at_ == (object ? '}' : ']')) {
      ++at_;
      --depth_;
      fresh_ = false;
      return true;
    }
    if (!fresh_) {
      if (*at_ != ',') {
        return fail(object ? "expected ',' or '}' after a member" : "expected ',' or ']' after an element");
      }
      ++at_;
      skip_space();
    }
    fresh_ = false;
    return (!object || key()) && value();
  }

  bool key() {
    if (at_ == end_) return fail("an object is not closed");
    if (*at_ != '"') return fail("expected a member's name in double quotes");
    if (!string()) return false;
    skip_space();
    if (at_ == end_ || *at_ != ':') return fail("expected ':' after a member's name");
    ++at_;
    skip_space();
    return true;
  }

  bool value() {
    if (at_ == end_) return fail("the text ends where a value is expected");
    switch (*at_) {
      case '"':
        return string();
      case '{':
      case '[':
        return open();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9':
        return number();
      default:
        return no_value();
    }
  }

  bool no_value() {
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    if (at_ == begin_ && rest.starts_with("\xef\xbb\xbf")) return fail("a byte order mark is not allowed");
    return fail("expected a value");
  }

  bool open() {
    if (depth_ == max_depth_) {
      too_deep_ = true;
      return false;
    }
    stack_[depth_++] = *at_++;
    deepest_seen_ = std::max(deepest_seen_, depth_);
    fresh_ = true;
    return true;
  }

  bool word(std::string_view expected) {
    const auto left = static_cast<std::size_t>(end_ - at_);
    if (!std::string_view(at_, left).starts_with(expected)) return fail("expected a value");
    at_ += expected.size();
    return true;
  }

  bool digits() {
    if (at_ == end_ || !is_digit(*at_)) return fail("expected a digit");
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return true;
  }

  bool number() {
    if (*at_ == '-') ++at_;
    if (at_ != end_ && *at_ == '0') {
      ++at_;
      if (at_ != end_ && is_digit(*at_)) return fail("a number begins with a needless 0");
    } else if (!digits()) {
      return false;
    }
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      return digits();
    }
    return true;
  }

  bool string() {
    const char* const opening = at_++;
    for (;;) {
      at_ = scan::plain_text_end(at_, end_, high_);
      if (at_ == end_) {
        at_ = opening;
        return fail("a string is not closed");
      }
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (*at_ != '\\') return fail("a control character stands in a string without an escape");
      if (!escape()) return false;
    }
  }

  bool escape() {
    if (end_ - at_ < 2) return fail("an escape is not complete");
    switch (at_[1]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        at_ += 2;
        return true;
      case 'u':
        return unicode_escape();
      default:
        return fail("an escape that JSON does not have");
    }
  }

  /// The four digits of the `\uXXXX` at `at`; -1 where it is none.
  [[nodiscard]] int unit(const char* at) const {
    if (end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    int value = 0;
    for (int i = 2; i < 6; ++i) {
      const int digit = hex_digit(at[i]);
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  bool unicode_escape() {
    const int first = unit(at_);
    if (first < 0) return fail("\\u is not followed by four hexadecimal digits");
    if (first < 0xd800 || first > 0xdfff) {
      at_ += 6;
      return true;
    }
    const int second = first < 0xdc00 ? unit(at_ + 6) : -1;
    if (second < 0xdc00 || second > 0xdfff) return fail("a surrogate without its other half");
    at_ += 12;
    return true;
  }

  const char* const begin_;
  const char* const end_;
  const char* at_;
  const unsigned max_depth_;
  unsigned depth_ = 0;
  unsigned deepest_seen_ = 0;
  /// Just behind an opening bracket: no comma yet.
  bool fresh_ = false;
  bool high_ = false;
  bool too_deep_ = false;
  const char* what_ = "";
  /// The opening brackets; not set before they are needed, since this is done for every frame.
  std::array<char, deepest> stack_;
};

}  // namespace

std::optional<Fault> check(std::string_view text, unsigned max_depth, unsigned* depth) {
  Checker checker(text, max_depth);
  if (!checker.run()) return checker.fault();
  // Beyond strings the grammar has let pass ASCII only.
  if (checker.beyond_ascii() && !is_utf8(text)) {
    return Fault{utf8_fault(text), "the bytes are not valid UTF-8", false};
  }
  if (depth != nullptr) *depth = checker.depth();
  return std::nullopt;
}

}  // namespace agentd::json
