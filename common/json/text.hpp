#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// JSON as text: checked once at the door, then read in slices without building a tree.
///
/// Everything here but `check` and `check_utf8` expects text that `check` has passed, and then cannot
/// fail. Pure functions and values; views point into the text they were given.
namespace agentd::json {

/// How deep a message's content may be nested, counted from its root: `[]` is 1 deep.
inline constexpr unsigned max_content_depth = 64;
/// What the envelope around a content may add.
inline constexpr unsigned max_envelope_depth = 16;

/// Why a text is no JSON, and at which byte.
struct Fault {
  std::size_t offset = 0;
  std::string what;
  bool too_deep = false;
};

/// Checks that `text` is exactly one JSON value (RFC 8259) in valid UTF-8, without lone surrogates,
/// at most `max_depth` deep. Recursion-free: any input is safe. On success `*depth` is how deep it is.
[[nodiscard]] std::optional<Fault> check(std::string_view text, unsigned max_depth,
                                         unsigned* depth = nullptr);

/// How deep a checked text is nested; a scalar is 0.
[[nodiscard]] unsigned depth_of(std::string_view text);

enum class Type { object, array, string, number, boolean, null };
[[nodiscard]] Type type_of(std::string_view text);

/// `text` without the white space around it.
[[nodiscard]] std::string_view trim(std::string_view text);

/// The characters that a string token stands for.
[[nodiscard]] std::string unquote(std::string_view token);
/// As `unquote`, without a copy where the token has no escapes (`storage` is used otherwise).
[[nodiscard]] std::string_view unquote(std::string_view token, std::string& storage);
/// Whether a string token stands for exactly `text`.
[[nodiscard]] bool token_is(std::string_view token, std::string_view text);

/// Appends `text` as a string token. Bytes that are no valid UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

/// Keys sorted by their bytes, no white space, UTF-8 as it is, numbers by their text.
/// Two texts with the same canonical form are the same value.
[[nodiscard]] std::string canonical(std::string_view text);

/// Reads an object's members in order.
///
///     for (json::Members members(object); members.next();) use(members.key(), members.value());
class Members {
public:
  explicit Members(std::string_view object);
  bool next();
  /// The key's token, quotes included.
  [[nodiscard]] std::string_view key_token() const { return key_; }
  [[nodiscard]] bool key_is(std::string_view name) const { return token_is(key_, name); }
  /// The value's text, without white space around it.
  [[nodiscard]] std::string_view value() const { return value_; }

private:
  const char* at_;
  const char* end_;
  std::string_view key_;
  std::string_view value_;
};

/// Reads an array's elements in order.
class Elements {
public:
  explicit Elements(std::string_view array);
  bool next();
  [[nodiscard]] std::string_view value() const { return value_; }

private:
  const char* at_;
  const char* end_;
  std::string_view value_;
};

}  // namespace agentd::json
