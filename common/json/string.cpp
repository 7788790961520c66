#include <algorithm>
#include <optional>

#include "common/json/scan.hpp"
#include "common/json/text.hpp"
#include "common/json/utf8.hpp"

namespace agentd::json {
namespace {

constexpr char32_t replacement = 0xfffd;

/// What stands between the quotes.
std::string_view inside(std::string_view token) {
  return token.size() < 2 ? std::string_view() : token.substr(1, token.size() - 2);
}

bool has_escapes(std::string_view text) { return text.find('\\') != std::string_view::npos; }

char32_t hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<char32_t>(c - '0');
  return static_cast<char32_t>((c | 0x20) - 'a' + 10) & 0xf;
}

/// Takes the `\uXXXX` off the front of `text`; nothing where there is none.
std::optional<char32_t> take_unit(std::string_view& text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  char32_t unit = 0;
  for (const char c : text.substr(2, 4)) unit = unit * 16 + hex_digit(c);
  text.remove_prefix(6);
  return unit;
}

char32_t take_code_point(std::string_view& text) {
  const std::optional<char32_t> first = take_unit(text);
  if (!first) {
    text.remove_prefix(text.size() < 2 ? text.size() : 2);
    return replacement;
  }
  if (*first < 0xd800 || *first > 0xdfff) return *first;
  std::string_view behind = text;
  const std::optional<char32_t> second = take_unit(behind);
  if (*first > 0xdbff || !second || *second < 0xdc00 || *second > 0xdfff) return replacement;
  text = behind;
  return 0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00);
}

/// @pre text begins with a backslash
void take_escape(std::string_view& text, std::string& out) {
  const char kind = text.size() < 2 ? '\\' : text[1];
  char plain = 0;
  switch (kind) {
    case 'u':
      return append_utf8(out, take_code_point(text));
    case 'b':
      plain = '\b';
      break;
    case 'f':
      plain = '\f';
      break;
    case 'n':
      plain = '\n';
      break;
    case 'r':
      plain = '\r';
      break;
    case 't':
      plain = '\t';
      break;
    default:
      plain = kind;
      break;
  }
  out += plain;
  text.remove_prefix(text.size() < 2 ? text.size() : 2);
}

void append_unescaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) take_escape(text, out);
  }
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '\\';
  switch (c) {
    case '"':
    case '\\':
      out += c;
      return;
    case '\b':
      out += 'b';
      return;
    case '\f':
      out += 'f';
      return;
    case '\n':
      out += 'n';
      return;
    case '\r':
      out += 'r';
      return;
    case '\t':
      out += 't';
      return;
    default:
      out += "u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 0xf];
  }
}

void append_escaped(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  out += '"';
  for (;;) {
    const char* const stop = scan::plain_text_end(at, end);
    out.append(at, stop);
    if (stop == end) break;
    append_escape(out, *stop);
    at = stop + 1;
  }
  out += '"';
}

}  // namespace

std::string_view unquote(std::string_view token, std::string& storage) {
  const std::string_view text = inside(token);
  if (!has_escapes(text)) return text;
  storage.clear();
  append_unescaped(storage, text);
  return storage;
}

std::string unquote(std::string_view token) {
  const std::string_view raw = inside(token);
  if (!has_escapes(raw)) return std::string(raw);
  std::string text;
  append_unescaped(text, raw);
  return text;
}

bool token_is(std::string_view token, std::string_view text) {
  const std::string_view raw = inside(token);
  if (raw == text) return !has_escapes(raw);
  // An escape is longer than what it stands for.
  if (raw.size() <= text.size() || !has_escapes(raw)) return false;
  std::string storage;
  append_unescaped(storage, raw);
  return storage == text;
}

bool is_text(std::string_view bytes) { return is_ascii(bytes) || is_utf8(bytes); }

void append_valid_string(std::string& out, std::string_view text) { append_escaped(out, text); }

void append_string(std::string& out, std::string_view text) {
  if (is_text(text)) return append_escaped(out, text);
  append_escaped(out, mended_utf8(text));
}

}  // namespace agentd::json
