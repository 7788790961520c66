#pragma once

#include <string_view>

#include "common/protocol/result.hpp"
#include "common/vocabulary/cell.hpp"

namespace agentd::protocol {

/// The outcome in what `call.get` answers for a settled call. `answer` is checked JSON.
[[nodiscard]] Result<detail::MessageData> read_get_answer(std::string_view answer);

}  // namespace agentd::protocol
