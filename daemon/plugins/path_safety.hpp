#pragma once

#include <filesystem>

#include <sys/types.h>

#include "common/protocol/result.hpp"

namespace agentd::plugins {

/// Answers `file` without symbolic links, where nobody but root and `user` can change what is in it or
/// put another file into its place: it is a regular file, and it and every directory above it belong
/// to one of the two and cannot be written by anybody else. (In a sticky directory, such as /tmp,
/// nobody can replace what belongs to another.) Otherwise fails, naming the culprit and the command
/// that mends it.
[[nodiscard]] Result<std::filesystem::path> safe_path(const std::filesystem::path& file, uid_t user);

}  // namespace agentd::plugins
