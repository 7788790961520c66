#pragma once

#include <string_view>

namespace agentd::protocol {

/// Whether an agent may be named so: 1 to 256 bytes without control characters.
[[nodiscard]] bool is_name(std::string_view text);

}  // namespace agentd::protocol
