#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agentd::json {

namespace detail {

[[nodiscard]] constexpr std::string_view view(std::string_view text) { return text; }
template <std::size_t size>
[[nodiscard]] constexpr std::string_view view(const char (&literal)[size]) {
  return {literal, size - 1};
}

}  // namespace detail

/// Appends the texts, one behind the other, growing `out` once: for what is written with every call. An array
/// of characters is taken for a literal. @pre no text points into `out`
template <typename... Texts>
void append_all(std::string& out, const Texts&... texts) {
  std::size_t at = out.size();
  out.resize(at + (detail::view(texts).size() + ...));
  const auto put = [&](std::string_view text) {
    text.copy(out.data() + at, text.size());
    at += text.size();
  };
  (put(detail::view(texts)), ...);
}

}  // namespace agentd::json
