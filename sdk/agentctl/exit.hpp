#pragma once

#include <stdexcept>
#include <string>

#include <agentd/error.hpp>

namespace agentd::ctl {

/// How agentctl ends; stands in `agentctl --help` too. From 64 on as `sysexits.h` numbers it.
enum class Exit : int {
  ok = 0,
  /// The call failed, or the node could not do what it was asked for.
  failed = 1,
  /// No such agent, call or type.
  not_found = 2,
  /// The command line is wrong, or the node refuses a value that stands in it.
  usage = 64,
  /// The node could not be reached.
  unreachable = 69,
  /// A bug, here or in the node.
  software = 70,
  /// The same command may succeed later: the node is overloaded, or shutting down.
  retryable = 75,
  /// The node does not let us in.
  refused = 77,
};

[[nodiscard]] Exit exit_of(const Error& error);

/// The command line cannot be understood; says what would be right.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace agentd::ctl
