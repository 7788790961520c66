#include "daemon/config/near.hpp"

#include <algorithm>

#include "common/protocol/near.hpp"

namespace agentd::config {
namespace {

/// `grace` for `grace_ms`, `--peers` for `--peer`.
bool begins_like(std::string_view a, std::string_view b) {
  return std::min(a.size(), b.size()) >= 3 && (a.starts_with(b) || b.starts_with(a));
}

}  // namespace

std::string near_name(std::string_view word, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (begins_like(word, name)) return name;
  }
  const std::vector<std::string> near = protocol::near_names(word, names);
  return near.empty() ? std::string() : near.front();
}

}  // namespace agentd::config
