#pragma once

#include <string>

#include "common/protocol/result.hpp"

namespace agentd::config {

/// Reads a token: one line of at least 16 visible ASCII characters, in a file that only its owner and
/// group can read. Fails with what is wrong and what to do; never says what the token is.
[[nodiscard]] Result<std::string> read_token(const std::string& file);

/// The file that systemd's `LoadCredential=token:…` provides; empty where there is none.
[[nodiscard]] std::string token_credential();

}  // namespace agentd::config
