#pragma once

#include <string>
#include <string_view>

#include <agentd/error.hpp>

namespace agentd::ctl {

/// An error for people: its message, then kind, node, agent and call, then its causes, each further
/// to the right. Without a line end.
[[nodiscard]] std::string describe(const Error& error);

/// Where results and errors go: text for people, or JSON for programs, one line each.
class Output {
public:
  explicit Output(bool json);

  [[nodiscard]] bool json() const { return json_; }
  /// People watch standard output.
  [[nodiscard]] bool terminal() const { return terminal_; }

  /// The node's JSON, as it came, on one line.
  void line(std::string_view json) const;
  void text(std::string_view text) const;
  /// A remark beside the result; programs do not get it.
  void note(std::string_view text) const;
  /// Partial output of a call, on standard error.
  void progress(std::string_view value) const;
  void error(const Error& error) const;

  /// Writes what is still held back. False where standard output did not take everything.
  [[nodiscard]] static bool flush();

private:
  bool json_;
  bool terminal_;
};

}  // namespace agentd::ctl
