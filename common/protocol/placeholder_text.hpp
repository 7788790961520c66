#pragma once

#include <string_view>

#include "common/protocol/values.hpp"

namespace agentd::protocol {

/// Reads what a `$placeholder` member holds: host, port and call, and nothing else.
[[nodiscard]] Result<Placeholder> read_placeholder_body(std::string_view text);

}  // namespace agentd::protocol
