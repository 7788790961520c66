#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/logging/log.hpp"
#include "daemon/node/node_config.hpp"

namespace agentd::config {

/// The configuration in force: the defaults, under the file, under the flags. A plain value.
///
/// Paths are absolute, or empty where none is given. `node.token` and `node.peer_token` stay empty
/// until `read_tokens`, and are never printed.
struct Config {
  NodeConfig node;
  std::string token_file;
  std::string peer_token_file;
  std::vector<std::string> plugins;
  std::string data_dir;
  bool durable = false;
  logging::Level log_level = logging::Level::info;

  /// Where each key that was set got its value, such as `agentd.json:3:11` or `--port`.
  std::map<std::string, std::string, std::less<>> origins;

  /// A way to begin a sentence about a key's value: `agentd.json:3:11: "port"`, `--port`, `"port"`.
  [[nodiscard]] std::string subject(std::string_view key) const;
};

}  // namespace agentd::config
