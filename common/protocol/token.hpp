#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/protocol/result.hpp"

/// What a token is, for nodes that ask for one and for clients that show one.
namespace agentd::protocol {

/// What a node asks for has so many characters at least; what a client shows may be shorter.
inline constexpr std::size_t shortest_asked_token = 16;
inline constexpr std::size_t longest_token = 4096;

/// The token in a file's text: without the blanks and line ends around it.
[[nodiscard]] std::string_view token_in(std::string_view text);

/// Why that is no token, as a sentence about it goes on: `holds 5 characters; a token has 16 to 4096`. Never
/// says what the token is.
[[nodiscard]] std::optional<std::string> token_fault(std::string_view token, std::size_t shortest);

/// For a token that a program sets, where an empty one stands for none: `invalid_params` for what is no
/// token.
[[nodiscard]] Result<void> check_token(std::string_view token, std::size_t shortest);

}  // namespace agentd::protocol
