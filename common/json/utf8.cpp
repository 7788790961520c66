#include "common/json/utf8.hpp"

#include <simdjson.h>

#include <cstdint>
#include <cstring>

namespace agentd::json {
namespace {

struct Sequence {
  std::size_t length = 1;
  bool valid = false;
};

/// What a second byte may be depends on the first (Unicode 15, table 3-7): this is where overlong
/// forms, surrogates and what is beyond U+10FFFF are kept out.
bool second_fits(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xe0:
      return second >= 0xa0 && second <= 0xbf;
    case 0xed:
      return second >= 0x80 && second <= 0x9f;
    case 0xf0:
      return second >= 0x90 && second <= 0xbf;
    case 0xf4:
      return second >= 0x80 && second <= 0x8f;
    default:
      return second >= 0x80 && second <= 0xbf;
  }
}

std::size_t length_by_first(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

/// The sequence at the front of a text that is not empty; an invalid one is as long as it was right.
Sequence front(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t wanted = length_by_first(first);
  if (wanted == 0) return {1, false};
  for (std::size_t i = 1; i < wanted; ++i) {
    if (i == text.size()) return {i, false};
    const auto byte = static_cast<unsigned char>(text[i]);
    if (i == 1 ? !second_fits(first, byte) : (byte & 0xc0) != 0x80) return {i, false};
  }
  return {wanted, true};
}

}  // namespace

bool is_ascii(std::string_view text) {
  constexpr std::uint64_t highs = 0x8080808080808080U;
  constexpr std::size_t word = sizeof(std::uint64_t);
  const auto load = [](const char* from) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, from, word);
    return bytes;
  };
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t seen = 0;
  for (; end - at >= std::ptrdiff_t{4 * word}; at += 4 * word) {
    seen |= load(at) | load(at + word) | load(at + 2 * word) | load(at + 3 * word);
  }
  for (; end - at >= std::ptrdiff_t{word}; at += word) seen |= load(at);
  for (; at != end; ++at) seen |= static_cast<unsigned char>(*at);
  return (seen & highs) == 0;
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

std::size_t utf8_fault(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Sequence next = front(text.substr(at));
    if (!next.valid) return at;
    at += next.length;
  }
  return text.size();
}

std::string mended_utf8(std::string_view text) {
  std::string mended;
  mended.reserve(text.size() + 8);
  while (!text.empty()) {
    const Sequence next = front(text);
    mended += next.valid ? text.substr(0, next.length) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(next.length);
  }
  return mended;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto byte = [&out](char32_t value) { out += static_cast<char>(value); };
  if (code_point < 0x80) return byte(code_point);
  if (code_point < 0x800) {
    byte(0xc0 | (code_point >> 6));
    return byte(0x80 | (code_point & 0x3f));
  }
  if (code_point < 0x10000) {
    byte(0xe0 | (code_point >> 12));
  } else {
    byte(0xf0 | (code_point >> 18));
    byte(0x80 | ((code_point >> 12) & 0x3f));
  }
  byte(0x80 | ((code_point >> 6) & 0x3f));
  byte(0x80 | (code_point & 0x3f));
}

}  // namespace agentd::json
