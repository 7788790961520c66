#pragma once

#include <chrono>
#include <cstddef>
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
  using Clock = std::chrono::steady_clock;
  using Tokens = std::map<NodeAddress, std::string>;

  static ChildLines& instance();

  /// Tells a server that has just been started, and answers what it was told. One that does not listen
  /// until then has not heard all of it, and does not come up.
  [[nodiscard]] static Tokens introduce(int line, Clock::time_point until);
  /// The server is up: it hears of each token that is set from here on, or was since its introduction.
  void add(int line, const Tokens& told);
  /// Nobody uses the line any more: it may be closed.
  void remove(int line);

private:
  struct Line {
    int descriptor;
    /// What the server has had no room for yet.
    std::string unsent;
    /// Tokens that it has not confirmed, those in `unsent` included.
    std::size_t unconfirmed = 0;
  };

  ChildLines();
  static void tell(Line& line, const NodeAddress& node, const std::string& token);
  void tell_all(const NodeAddress& node);

  std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace agentd::sdk
