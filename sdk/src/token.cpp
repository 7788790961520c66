#include "sdk/src/token.hpp"

#include <algorithm>
#include <string>

#include <agentd/error.hpp>

namespace agentd::sdk {
namespace {

constexpr std::size_t longest = 4096;

bool is_visible(char c) { return c > 0x20 && c < 0x7F; }

}  // namespace

void check_token(std::string_view token, std::size_t shortest) {
  if (!std::all_of(token.begin(), token.end(), is_visible)) {
    throw Error(ErrorKind::invalid_params, "a token is visible ASCII characters without blanks");
  }
  if (token.size() < shortest || token.size() > longest) {
    throw Error(ErrorKind::invalid_params, "a token has " + std::to_string(shortest) + " to " +
                                               std::to_string(longest) + " characters, not " +
                                               std::to_string(token.size()));
  }
}

}  // namespace agentd::sdk
