#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <agentd/ids.hpp>

namespace agentd::sdk {

/// What this program tells the servers that it launched, each by its line: the tokens that it shows to
/// other nodes, so that they show them too. Thread-safe.
///
/// A token is a line of JSON, and an empty line is the end of those that there were when the server was
/// launched. The server confirms each later one with a byte.
class ChildLines {
public:
  using Tokens = std::map<NodeAddress, std::string>;

  static ChildLines& instance();

  /// Tells a server that has just been started, and answers what it was told.
  [[nodiscard]] static Tokens introduce(int line);
  /// The server is up: it hears of each token that is set from here on, or was since its introduction.
  void add(int line, const Tokens& told);
  /// Nobody uses the line any more: it may be closed.
  void remove(int line);

private:
  ChildLines();
  void tell_all(const NodeAddress& node, const std::string& token);

  std::mutex mutex_;
  std::vector<int> lines_;
};

}  // namespace agentd::sdk
