#include "daemon/plugins/path_safety.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace agentd::plugins {
namespace {

namespace fs = std::filesystem;

Error refuse(const fs::path& file, const std::string& why) {
  return {ErrorKind::invalid_params, "the plugin " + file.string() + " " + why};
}

std::string reason(int number) { return std::generic_category().message(number); }

bool others_may_replace(const struct stat& about) {
  const bool sticky = S_ISDIR(about.st_mode) && (about.st_mode & S_ISVTX) != 0;
  return (about.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky;
}

/// One step of the way: the file itself, or a directory above it.
Result<void> check_step(const fs::path& file, const fs::path& step, uid_t user) {
  struct stat about {};
  if (lstat(step.c_str(), &about) != 0) {
    return refuse(file, "cannot be checked: " + step.string() + ": " + reason(errno));
  }
  const std::string what = step == file ? "" : "is not safe: the directory " + step.string() + " above it ";
  if (about.st_uid != 0 && about.st_uid != user) {
    return refuse(file, what + "belongs to user " + std::to_string(about.st_uid) +
                            ", who is neither root nor the "
                            "user of the daemon; run: chown root " +
                            step.string());
  }
  if (others_may_replace(about)) {
    return refuse(file,
                  what + "can be written by its group or by everybody; run: chmod go-w " + step.string());
  }
  return {};
}

}  // namespace

Result<fs::path> safe_path(const fs::path& file, uid_t user) {
  std::error_code failed;
  const fs::path real = fs::canonical(file, failed);
  if (failed) return refuse(file, "cannot be opened: " + failed.message());
  if (!fs::is_regular_file(real, failed)) return refuse(file, "is not a regular file");
  for (fs::path step = real;; step = step.parent_path()) {
    if (const auto checked = check_step(real, step, user); !checked) return checked.error();
    if (step == step.root_path()) return real;
  }
}

}  // namespace agentd::plugins
