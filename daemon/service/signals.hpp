#pragma once

#include <optional>

namespace agentd::service {

/// Turns SIGTERM, SIGINT and SIGHUP into something to read. Blocks them, for threads to come too, and
/// ignores SIGPIPE: a connection that breaks is an error of a write.
///
/// Made once, before other threads; used by one thread. The signals stay blocked afterwards.
class Signals {
public:
  /// Throws `std::system_error` where the kernel has no descriptor left.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Readable when a signal came.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// The next signal that came; nothing where none did.
  [[nodiscard]] std::optional<int> next() const;

private:
  int descriptor_;
};

}  // namespace agentd::service
