#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

/// Where each object and array of a checked text ends, as `check` has seen it: what reads the text then
/// skips one without looking through it.
///
/// Kept and filled again, so that it allocates rarely. Not copied; the text outlives it.
class Ends {
public:
  /// Nothing is known: of no text, or of one that is too long for it.
  void clear() { text_ = {}; }
  /// Makes room for a text, where it is not too long.
  void begin(std::string_view text);
  [[nodiscard]] bool known() const { return !text_.empty(); }
  void put(const char* opening, const char* past) {
    at_[static_cast<std::size_t>(opening - text_.data())] = static_cast<std::uint32_t>(past - text_.data());
  }
  /// Behind the container that opens there. @pre known()
  [[nodiscard]] const char* past(const char* opening) const {
    return text_.data() + at_[static_cast<std::size_t>(opening - text_.data())];
  }

private:
  /// Four bytes for each of the text: longer ones are skipped by looking through them.
  static constexpr std::size_t longest = 64U << 10;

  std::string_view text_;
  std::size_t room_ = 0;
  /// By the place of the opening bracket; what stands between is never set.
  std::unique_ptr<std::uint32_t[]> at_;
};

/// Checks that `text` is exactly one JSON value (RFC 8259) in valid UTF-8, without lone surrogates,
/// at most `max_depth` deep. Recursion-free: any input is safe. On success `*depth` is how deep it is,
/// and `*ends` knows where its containers end.
[[nodiscard]] std::optional<Fault> check(std::string_view text, unsigned max_depth, unsigned* depth = nullptr,
                                         Ends* ends = nullptr);

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

/// Whether the bytes are valid UTF-8, and so what a string token can stand for.
[[nodiscard]] bool is_text(std::string_view bytes);
/// Appends `text` as a string token. Bytes that are no valid UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);
/// As `append_string`. @pre is_text(text)
void append_valid_string(std::string& out, std::string_view text);

/// Keys sorted by their bytes, no white space, UTF-8 as it is, numbers by their text.
/// Two texts with the same canonical form are the same value.
[[nodiscard]] std::string canonical(std::string_view text);

/// Reads an object's members in order.
///
///     for (json::Members members(object); members.next();) use(members.key(), members.value());
class Members {
public:
  /// `ends`, where given, is of the text that the object stands in.
  explicit Members(std::string_view object, const Ends* ends = nullptr);
  bool next();
  /// The key's token, quotes included.
  [[nodiscard]] std::string_view key_token() const { return key_; }
  [[nodiscard]] bool key_is(std::string_view name) const { return token_is(key_, name); }
  /// The value's text, without white space around it.
  [[nodiscard]] std::string_view value() const { return value_; }

private:
  const char* at_;
  const char* end_;
  const Ends* ends_;
  std::string_view key_;
  std::string_view value_;
};

/// Reads an array's elements in order.
class Elements {
public:
  /// As for `Members`.
  explicit Elements(std::string_view array, const Ends* ends = nullptr);
  bool next();
  [[nodiscard]] std::string_view value() const { return value_; }

private:
  const char* at_;
  const char* end_;
  const Ends* ends_;
  std::string_view value_;
};

}  // namespace agentd::json
