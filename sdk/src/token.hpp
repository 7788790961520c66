#pragma once

#include <cstddef>
#include <string_view>

namespace agentd::sdk {

/// Throws `Error` (`invalid_params`) where that is no token: visible ASCII characters without blanks, so many
/// at least. Never says what the token is.
void check_token(std::string_view token, std::size_t shortest);

}  // namespace agentd::sdk
