#pragma once

#include <filesystem>

#include "daemon/config/config.hpp"
#include "daemon/config/source.hpp"

namespace agentd::config {

/// Puts what a configuration file says over `config`. Strict: an unknown key, a key given twice, a
/// value of the wrong type or out of range fails with file, line, column, key, value, and what is
/// allowed. After a failure `config` is half changed.
[[nodiscard]] Result<void> apply_file(const Source& file, const std::filesystem::path& base, Config& config);

}  // namespace agentd::config
