#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace agentd::protocol {

/// Which of `candidates` somebody may have meant who wrote `name`: those a few edits away, the
/// nearest first. Pure; nothing for a name longer than 128.
[[nodiscard]] std::vector<std::string> near_names(std::string_view name,
                                                  std::span<const std::string_view> candidates);
[[nodiscard]] std::vector<std::string> near_names(std::string_view name,
                                                  const std::vector<std::string>& candidates);

/// ` (did you mean "a" or "b"?)`, or nothing where no name is near.
[[nodiscard]] std::string did_you_mean(const std::vector<std::string>& names);

}  // namespace agentd::protocol
