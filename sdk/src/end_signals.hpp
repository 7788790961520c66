#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace agentd::sdk {

/// While it lives, SIGTERM and SIGINT do not end the process but call `on_signal`, once, on a thread
/// of its own. The former handlers are put back at its end. One at a time in a process: a second one
/// throws `std::logic_error`.
class EndSignals {
public:
  explicit EndSignals(std::function<void()> on_signal);
  ~EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

private:
  void wait_for_signal() const;

  std::function<void()> on_signal_;
  int pipe_[2] = {-1, -1};
  struct sigaction former_term_ {};
  struct sigaction former_int_ {};
  std::thread waiting_;
};

}  // namespace agentd::sdk
