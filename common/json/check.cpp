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

/// Walks over the text once. Each step takes the place where it begins and answers the place behind
/// what it found there; null where the grammar wants something else, and then the fault is noted.
/// (The place goes from hand to hand, not through a member: in registers, for every byte of every call.)
class Checker {
public:
  Checker(std::string_view text, unsigned max_depth, Ends* ends)
      : begin_(text.data()),
        end_(text.data() + text.size()),
        max_depth_(std::min(max_depth, deepest)),
        ends_(ends) {}

  bool run() {
    const char* at = past_value(past_space(begin_));
    if (at == nullptr) return false;
    at = past_space(at);
    return at == end_ || fail(at, "there is more text behind the value") != nullptr;
  }
  /// Behind the value that begins there; null where there is none.
  const char* past_value(const char* at) {
    at = value(at);
    while (at != nullptr && depth_ > 0) at = step(at);
    return at;
  }

  [[nodiscard]] unsigned depth() const { return deepest_seen_; }
  /// Not zero where some byte is none of ASCII: only strings may have such.
  [[nodiscard]] std::uint64_t high() const { return high_; }
  [[nodiscard]] Fault fault() const {
    const auto offset = static_cast<std::size_t>(failed_at_ - begin_);
    if (too_deep_) return {offset, "nested deeper than " + std::to_string(max_depth_), true};
    return {offset, what_, false};
  }

private:
  using Place = const char*;

  Place fail(Place at, const char* what) {
    failed_at_ = at;
    what_ = what;
    return nullptr;
  }

  [[nodiscard]] Place past_space(Place at) const { return scan::past_space(at, end_); }
  [[nodiscard]] bool is(Place at, char c) const { return at != end_ && *at == c; }
  [[nodiscard]] bool has_digit(Place at) const { return at != end_ && is_digit(*at); }

  /// Inside a container: its end, or its next value (of an object, with the key before it).
  Place step(Place at) {
    const bool object = *stack_[depth_ - 1] == '{';
    at = past_space(at);
    if (at == end_) return fail(at, object ? "an object is not closed" : "an array is not closed");
    const bool first = fresh_;
    fresh_ = false;
    if (*at == (object ? '}' : ']')) {
      --depth_;
      if (ends_ != nullptr) ends_->put(stack_[depth_], at + 1);
      return at + 1;
    }
    if (!first) {
      if (*at != ',') {
        return fail(at,
                    object ? "expected ',' or '}' after a member" : "expected ',' or ']' after an element");
      }
      at = past_space(at + 1);
    }
    if (object && (at = key(at)) == nullptr) return nullptr;
    return value(at);
  }

  Place key(Place at) {
    if (at == end_) return fail(at, "an object is not closed");
    if (*at != '"') return fail(at, "expected a member's name in double quotes");
    at = string(at);
    if (at == nullptr) return nullptr;
    at = past_space(at);
    if (!is(at, ':')) return fail(at, "expected ':' after a member's name");
    return past_space(at + 1);
  }

  Place value(Place at) {
    if (at == end_) return fail(at, "the text ends where a value is expected");
    switch (*at) {
      case '"':
        return string(at);
      case '{':
      case '[':
        return open(at);
      case 't':
        return word(at, "true");
      case 'f':
        return word(at, "false");
      case 'n':
        return word(at, "null");
      default:
        return *at == '-' || is_digit(*at) ? number(at) : no_value(at);
    }
  }

  Place no_value(Place at) {
    const std::string_view rest(at, static_cast<std::size_t>(end_ - at));
    const bool mark = at == begin_ && rest.starts_with("\xef\xbb\xbf");
    return fail(at, mark ? "a byte order mark is not allowed" : "expected a value");
  }

  Place open(Place at) {
    if (depth_ == max_depth_) {
      too_deep_ = true;
      return fail(at, "");
    }
    stack_[depth_++] = at;
    deepest_seen_ = std::max(deepest_seen_, depth_);
    fresh_ = true;
    return at + 1;
  }

  Place word(Place at, std::string_view expected) {
    const std::string_view rest(at, static_cast<std::size_t>(end_ - at));
    return rest.starts_with(expected) ? at + expected.size() : fail(at, "expected a value");
  }

  Place digits(Place at) {
    if (!has_digit(at)) return fail(at, "expected a digit");
    while (has_digit(at)) ++at;
    return at;
  }

  Place number(Place at) {
    if (*at == '-') ++at;
    if (is(at, '0')) {
      ++at;
      if (has_digit(at)) return fail(at, "a number begins with a needless 0");
    } else {
      at = digits(at);
    }
    if (at != nullptr && is(at, '.')) at = digits(at + 1);
    return at == nullptr || !(is(at, 'e') || is(at, 'E')) ? at : exponent(at);
  }

  Place exponent(Place at) {
    ++at;
    if (is(at, '+') || is(at, '-')) ++at;
    return digits(at);
  }

  Place string(Place at) {
    const Place opening = at++;
    for (;;) {
      at = scan::plain_text_end(at, end_, high_);
      if (at == end_) return fail(opening, "a string is not closed");
      if (*at == '"') return at + 1;
      if (*at != '\\') return fail(at, "a control character stands in a string without an escape");
      if ((at = escape(at)) == nullptr) return nullptr;
    }
  }

  Place escape(Place at) {
    if (end_ - at < 2) return fail(at, "an escape is not complete");
    switch (at[1]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        return at + 2;
      case 'u':
        return unicode_escape(at);
      default:
        return fail(at, "an escape that JSON does not have");
    }
  }

  /// The four digits of the `\uXXXX` at `at`; -1 where it is none.
  [[nodiscard]] int unit(Place at) const {
    if (end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    int value = 0;
    for (int i = 2; i < 6; ++i) {
      const int digit = hex_digit(at[i]);
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  Place unicode_escape(Place at) {
    const int first = unit(at);
    if (first < 0) return fail(at, "\\u is not followed by four hexadecimal digits");
    if (first < 0xd800 || first > 0xdfff) return at + 6;
    const int second = first < 0xdc00 ? unit(at + 6) : -1;
    if (second < 0xdc00 || second > 0xdfff) return fail(at, "a surrogate without its other half");
    return at + 12;
  }

  const Place begin_;
  const Place end_;
  const unsigned max_depth_;
  unsigned depth_ = 0;
  unsigned deepest_seen_ = 0;
  /// Just behind an opening bracket: no comma yet.
  bool fresh_ = false;
  bool too_deep_ = false;
  std::uint64_t high_ = 0;
  Place failed_at_ = nullptr;
  const char* what_ = "";
  Ends* const ends_;
  /// The opening brackets; not set before they are needed, since this is done for every frame.
  std::array<Place, deepest> stack_;
};

}  // namespace

std::optional<Fault> check(std::string_view text, unsigned max_depth, unsigned* depth, Ends* ends) {
  if (ends != nullptr) ends->begin(text);
  Checker checker(text, max_depth, ends != nullptr && ends->known() ? ends : nullptr);
  if (!checker.run()) return checker.fault();
  if (checker.high() != 0 && !is_utf8(text)) {
    return Fault{utf8_fault(text), "the bytes are not valid UTF-8", false};
  }
  if (depth != nullptr) *depth = checker.depth();
  return std::nullopt;
}

const char* scan::past_checked_value(std::string_view text, unsigned max_depth, std::uint64_t& high) {
  Checker checker(text, max_depth, nullptr);
  const char* const past = checker.past_value(text.data());
  high |= checker.high();
  return past;
}

}  // namespace agentd::json
