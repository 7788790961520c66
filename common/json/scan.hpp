#pragma once

#include <cstdint>
#include <cstring>

#include "common/json/text.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Searches for the few bytes that matter in a JSON text, a block at a time. Inside this room only.
///
/// None of them reads at or past `end`; each answers `end` where there is nothing to find.
namespace agentd::json::scan {

[[nodiscard]] inline bool ends_plain_text(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

/// The `|` maps `[` to `{` and `]` to `}`, and no other byte to either.
[[nodiscard]] inline bool is_bracket_or_quote(char c) {
  const char folded = static_cast<char>(c | 0x20);
  return folded == '{' || folded == '}' || c == '"';
}

#if defined(__SSE2__)

inline constexpr std::ptrdiff_t block = 16;

[[nodiscard]] inline __m128i load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
[[nodiscard]] inline unsigned mask(__m128i flags) { return static_cast<unsigned>(_mm_movemask_epi8(flags)); }

/// Not zero where some byte is none of ASCII.
[[nodiscard]] inline std::uint64_t high_bits(__m128i bytes) { return mask(bytes); }

[[nodiscard]] inline unsigned plain_text_ends(__m128i bytes) {
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  return mask(_mm_or_si128(_mm_or_si128(quote, backslash), control));
}

[[nodiscard]] inline unsigned brackets_and_quotes(__m128i bytes) {
  const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
  const __m128i open = _mm_cmpeq_epi8(folded, _mm_set1_epi8('{'));
  const __m128i close = _mm_cmpeq_epi8(folded, _mm_set1_epi8('}'));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  return mask(_mm_or_si128(_mm_or_si128(open, close), quote));
}

#else

inline constexpr std::ptrdiff_t block = 8;
inline constexpr std::uint64_t ones = 0x0101010101010101U;
inline constexpr std::uint64_t highs = 0x8080808080808080U;

[[nodiscard]] inline std::uint64_t load(const char* at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}
/// Not zero where some byte of `bytes` is zero.
[[nodiscard]] inline std::uint64_t zeros(std::uint64_t bytes) { return (bytes - ones) & ~bytes & highs; }
[[nodiscard]] inline std::uint64_t equals(std::uint64_t bytes, char c) {
  return zeros(bytes ^ (ones * static_cast<unsigned char>(c)));
}
[[nodiscard]] inline std::uint64_t high_bits(std::uint64_t bytes) { return bytes & highs; }
[[nodiscard]] inline std::uint64_t plain_text_ends(std::uint64_t bytes) {
  return equals(bytes, '"') | equals(bytes, '\\') | ((bytes - ones * 0x20) & ~bytes & highs);
}
[[nodiscard]] inline std::uint64_t brackets_and_quotes(std::uint64_t bytes) {
  const std::uint64_t folded = bytes | (ones * 0x20);
  return equals(folded, '{') | equals(folded, '}') | equals(bytes, '"');
}

#endif

/// The first quote, backslash or control character. `high` is no longer zero where one of the bytes that
/// were looked at, which may be some behind the found one, is none of ASCII.
[[nodiscard]] inline const char* plain_text_end(const char* at, const char* end, std::uint64_t& high) {
  while (end - at >= block) {
    const auto bytes = load(at);
    high |= high_bits(bytes);
#if defined(__SSE2__)
    if (const unsigned found = plain_text_ends(bytes); found != 0) return at + __builtin_ctz(found);
#else
    if (plain_text_ends(bytes) != 0) break;
#endif
    at += block;
  }
  for (; at != end && !ends_plain_text(*at); ++at) high |= static_cast<unsigned char>(*at) & 0x80U;
  return at;
}

[[nodiscard]] inline const char* plain_text_end(const char* at, const char* end) {
  std::uint64_t high = 0;
  return plain_text_end(at, end, high);
}

/// The first quote, brace or bracket.
[[nodiscard]] inline const char* bracket_or_quote(const char* at, const char* end) {
  while (end - at >= block) {
#if defined(__SSE2__)
    if (const unsigned found = brackets_and_quotes(load(at)); found != 0) return at + __builtin_ctz(found);
#else
    if (brackets_and_quotes(load(at)) != 0) break;
#endif
    at += block;
  }
  while (at != end && !is_bracket_or_quote(*at)) ++at;
  return at;
}

[[nodiscard]] inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

[[nodiscard]] inline const char* past_space(const char* at, const char* end) {
  // Mostly there is none, and one comparison tells.
  while (at != end && static_cast<unsigned char>(*at) <= ' ' && is_space(*at)) ++at;
  return at;
}

/// Behind the string that opens at `at`.
[[nodiscard]] inline const char* past_string(const char* at, const char* end) {
  ++at;
  for (;;) {
    at = plain_text_end(at, end);
    if (at == end) return end;
    if (*at == '"') return at + 1;
    at += (*at == '\\' && end - at >= 2) ? 2 : 1;
  }
}

/// Behind the object or array that opens at `at`, string by string.
[[nodiscard]] inline const char* past_container_by_strings(const char* at, const char* end) {
  std::size_t depth = 0;
  while ((at = bracket_or_quote(at, end)) != end) {
    if (*at == '"') {
      at = past_string(at, end);
      continue;
    }
    const bool opens = *at == '{' || *at == '[';
    ++at;
    if (opens) {
      ++depth;
    } else if (--depth == 0) {
      return at;
    }
  }
  return end;
}

#if defined(__SSE2__)

/// Where in 64 bytes the characters are that matter for the end of a container, a bit a byte.
struct Bits {
  std::uint64_t quotes = 0;
  std::uint64_t backslashes = 0;
  std::uint64_t opening = 0;
  std::uint64_t brackets = 0;
};

[[nodiscard]] inline Bits bits_of(const char* at) {
  Bits bits;
  for (unsigned shift = 0; shift < 64; shift += block) {
    const __m128i bytes = load(at + shift);
    const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i open = _mm_cmpeq_epi8(folded, _mm_set1_epi8('{'));
    const __m128i close = _mm_cmpeq_epi8(folded, _mm_set1_epi8('}'));
    const auto put = [shift](__m128i flags) { return static_cast<std::uint64_t>(mask(flags)) << shift; };
    bits.quotes |= put(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    bits.backslashes |= put(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    bits.opening |= put(open);
    bits.brackets |= put(_mm_or_si128(open, close));
  }
  return bits;
}

/// Each bit becomes the parity of those up to it: between an opening quote and its end, ones.
[[nodiscard]] inline std::uint64_t parity_up_to(std::uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

/// Behind the object or array that opens at `at`: 64 bytes at once, as long as no escape is met.
/// Params and inputs are skipped once before they are read, so this is done for every call.
[[nodiscard]] inline const char* past_container(const char* const at, const char* end) {
  constexpr std::ptrdiff_t width = 64;
  std::uint64_t in_string = 0;
  std::size_t depth = 0;
  for (const char* here = at; here < end; here += width) {
    char last[width];
    const char* bytes = here;
    if (end - here < width) {
      std::memset(last, ' ', width);
      std::memcpy(last, here, static_cast<std::size_t>(end - here));
      bytes = last;
    }
    const Bits bits = bits_of(bytes);
    if (bits.backslashes != 0) return past_container_by_strings(at, end);
    const std::uint64_t strings = parity_up_to(bits.quotes) ^ in_string;
    in_string = (strings >> 63) != 0 ? ~std::uint64_t{0} : 0;
    for (std::uint64_t left = bits.brackets & ~strings; left != 0; left &= left - 1) {
      const int place = __builtin_ctzll(left);
      if (((bits.opening >> place) & 1) != 0) {
        ++depth;
      } else if (--depth == 0) {
        return here + place + 1;
      }
    }
  }
  return end;
}

#else

[[nodiscard]] inline const char* past_container(const char* at, const char* end) {
  return past_container_by_strings(at, end);
}

#endif

/// Behind the value that begins at `at`.
[[nodiscard]] inline const char* past_value(const char* at, const char* end) {
  if (at == end) return end;
  if (*at == '"') return past_string(at, end);
  if (*at == '{' || *at == '[') return past_container(at, end);
  while (at != end && *at != ',' && *at != ']' && *at != '}' && !is_space(*at)) ++at;
  return at;
}

/// As above, without looking through a container of which `ends`, where given, knows the end.
[[nodiscard]] inline const char* past_value(const char* at, const char* end, const Ends* ends) {
  const bool container = at != end && (*at == '{' || *at == '[');
  return container && ends != nullptr ? ends->past(at) : past_value(at, end);
}

/// Behind the value that `text`, of which nothing is known, begins with; null where it begins with none, or
/// with one that is nested deeper than `max_depth`. What `check` would pass, but for its UTF-8: `high` as
/// above.
[[nodiscard]] const char* past_checked_value(std::string_view text, unsigned max_depth, std::uint64_t& high);

}  // namespace agentd::json::scan
