#pragma once

#include <span>
#include <string>
#include <string_view>

namespace agentd::config {

/// The name that somebody who wrote `word` may have meant; empty where none is near.
[[nodiscard]] std::string near_name(std::string_view word, std::span<const std::string> names);

}  // namespace agentd::config
