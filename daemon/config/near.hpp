#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agentd::config {

/// The name that somebody who wrote `word` may have meant; empty where none is near.
[[nodiscard]] std::string near_name(std::string_view word, const std::vector<std::string>& names);

}  // namespace agentd::config
