#include "common/protocol/token.hpp"

#include <algorithm>

namespace agentd::protocol {
namespace {

bool is_visible(char c) { return c > 0x20 && c < 0x7F; }

}  // namespace

std::string_view token_in(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::optional<std::string> token_fault(std::string_view token, std::size_t shortest) {
  if (token.empty()) return "is empty";
  if (!std::all_of(token.begin(), token.end(), is_visible)) {
    return "must be one line of visible ASCII characters without blanks";
  }
  if (token.size() >= shortest && token.size() <= longest_token) return std::nullopt;
  // Of a file that is too long only the beginning is read: how long it is nobody knows.
  const std::string held = token.size() > longest_token ? "more than " + std::to_string(longest_token)
                                                        : std::to_string(token.size());
  return "holds " + held + " characters; a token has " + std::to_string(shortest) + " to " +
         std::to_string(longest_token);
}

Result<void> check_token(std::string_view token, std::size_t shortest) {
  if (token.empty()) return {};
  if (const auto fault = token_fault(token, shortest)) {
    return Error(ErrorKind::invalid_params, "the token " + *fault);
  }
  return {};
}

}  // namespace agentd::protocol
