#include "daemon/config/config.hpp"

namespace agentd::config {

std::string Config::subject(std::string_view key) const {
  const auto origin = origins.find(key);
  const std::string quoted = '"' + std::string(key) + '"';
  if (origin == origins.end()) return quoted;
  return origin->second.starts_with("--") ? origin->second : origin->second + ": " + quoted;
}

}  // namespace agentd::config
