#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "daemon/service/signals.hpp"

namespace agentd::service {

/// The work that a supervisor looks after, as functions. All but `run` and `stop` are called on the
/// supervisor's thread.
struct Work {
  /// Returns when the work has ended and is cleaned up, by itself or by `stop`. Runs on a thread of
  /// its own.
  std::function<void()> run;
  /// Asks the work to end within that time, and waits until it has. Runs on threads of its own, twice
  /// where the second signal asks to be quicker.
  std::function<void(std::chrono::milliseconds grace)> stop;
  /// Called once, before `run` has got far: hands over what the work calls when it begins to end
  /// without having been asked by `stop`, with the grace it gives itself. From any thread; more calls
  /// than one do nothing. May be empty.
  std::function<void(std::function<void(std::chrono::milliseconds grace)> ending)> watch_ending;
  /// When the work, ending, last got further with what takes the longer the more of it there is: it gets the
  /// overtime from then on. What it gets further with must come to an end. May be empty.
  std::function<std::chrono::steady_clock::time_point()> last_progress;
  /// SIGHUP.
  std::function<void()> reload;
  /// Whether the work still makes progress. Only while it says so the watchdog is petted.
  std::function<bool()> answers;
};

struct Patience {
  /// What `stop` gets at the first SIGTERM or SIGINT.
  std::chrono::milliseconds grace{10'000};
  /// How long the work may take to end after its grace is over, or after it last made progress.
  std::chrono::milliseconds overtime{5'000};
  /// systemd's watchdog; nothing where it does not watch.
  std::optional<std::chrono::microseconds> watchdog;
};

enum class Ending {
  /// All of it has ended.
  complete,
  /// It ran out of time; threads of it still run, and the process must leave without them.
  abandoned,
};

struct Supervised;

/// Looks after work until it ends: hands signals on, pets the watchdog. The first SIGTERM or SIGINT
/// asks it to stop within the grace period, a second one to stop at once. Work that begins to end by
/// itself has its own grace, and then the same overtime. Work that still fails a million calls when the
/// overtime is over goes on for as long as it says that it gets further, and systemd is asked for that
/// time; work that hangs does not say so. A third signal waits for nothing.
///
/// Made before the work begins, which may use up the descriptors: what it needs of them it takes then.
/// Used once, by one thread.
class Supervisor {
public:
  /// Throws `std::system_error` where the kernel has no descriptor left. `signals` outlives it.
  explicit Supervisor(const Signals& signals);

  [[nodiscard]] Ending watch(Work work, const Patience& patience);

private:
  const Signals& signals_;
  std::shared_ptr<Supervised> supervised_;
};

}  // namespace agentd::service
