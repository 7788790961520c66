#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/protocol/result.hpp"

namespace agentd::rpc {

/// Where a list goes on, as text: behind the entry with that number, whether it is still there or not.
/// `boot` is the node's: numbers begin anew with each start.
[[nodiscard]] std::string cursor_behind(std::uint64_t seq, std::string_view boot);
/// 0 for no cursor: the list begins. Fails with `invalid_params`.
[[nodiscard]] Result<std::uint64_t> read_cursor(std::string_view cursor, std::string_view boot);

}  // namespace agentd::rpc
