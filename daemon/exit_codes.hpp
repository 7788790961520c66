#pragma once

namespace agentd {

/// How the process ends, as `sysexits.h` numbers it.
enum class Exit : int {
  ok = 0,
  /// The command line is wrong.
  usage = 64,
  /// The port is taken, or the system has no more of what is needed.
  unavailable = 69,
  /// A bug.
  software = 70,
  /// Something could not be written.
  io = 74,
  /// The configuration is wrong, or unsafe.
  configuration = 78,
};

}  // namespace agentd
