#include "daemon/logging/escape.hpp"

#include <cstdint>

namespace agentd::logging {
namespace {

/// One character of UTF-8: what it is, and how many bytes it takes. No bytes: not UTF-8.
struct Character {
  std::uint32_t point = 0;
  std::size_t size = 0;
};

unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

std::size_t size_by_lead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

Character first_character(std::string_view text) {
  const unsigned char lead = byte_at(text, 0);
  const std::size_t size = size_by_lead(lead);
  if (size == 0 || size > text.size()) return {};
  std::uint32_t point = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80U) return {};
    point = (point << 6U) | (byte_at(text, i) & 0x3FU);
  }
  constexpr std::uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  if (point < shortest[size] || surrogate || point > 0x10FFFF) return {};
  return {point, size};
}

bool is_unsafe(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0)             // C0, DEL, C1
         || point == 0x061C || (point >= 0x200B && point <= 0x200F)  // marks of direction, zero width
         || (point >= 0x2028 && point <= 0x202E)                     // separators, embeddings
         || (point >= 0x2066 && point <= 0x2069)                     // isolates
         || point == 0xFEFF;
}

void append_unicode_escape(std::string& out, std::uint32_t point) {
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(point >> shift) & 0xFU];
}

void append_character(std::string& out, std::uint32_t point, std::string_view bytes) {
  switch (point) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (is_unsafe(point)) {
    append_unicode_escape(out, point);
  } else {
    out += bytes;
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text, std::string (*bad_byte)(unsigned char)) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.size == 0) {
      out += bad_byte(byte_at(text, 0));
      text.remove_prefix(1);
      continue;
    }
    append_character(out, character.point, text.substr(0, character.size));
    text.remove_prefix(character.size);
  }
}

std::string hexadecimal(unsigned char byte) {
  constexpr char digits[] = "0123456789abcdef";
  return {'\\', 'x', digits[byte >> 4U], digits[byte & 0xFU]};
}

std::string replacement(unsigned char /*byte*/) { return "\uFFFD"; }

}  // namespace agentd::logging
