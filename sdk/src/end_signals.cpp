#include "sdk/src/end_signals.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace agentd::sdk {
namespace {

/// Where the handler writes: a handler reaches nothing but what has static storage.
std::atomic<int> signal_pipe{-1};

constexpr char signalled = 's';
constexpr char over = 'o';

void handle(int) {
  const int saved = errno;
  (void)!write(signal_pipe, &signalled, 1);
  errno = saved;
}

}  // namespace

EndSignals::EndSignals(std::function<void()> on_signal) : on_signal_(std::move(on_signal)) {
  if (pipe2(pipe_, O_CLOEXEC) != 0) {
    throw std::runtime_error(std::string("no pipe for signals: ") + std::strerror(errno));
  }
  int none = -1;
  if (!signal_pipe.compare_exchange_strong(none, pipe_[1])) {
    close(pipe_[0]);
    close(pipe_[1]);
    throw std::logic_error("another AgentServer of this program waits for the end already");
  }
  struct sigaction action {};
  action.sa_handler = &handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, &former_term_);
  sigaction(SIGINT, &action, &former_int_);
  waiting_ = std::thread([this] { wait_for_signal(); });
}

EndSignals::~EndSignals() {
  sigaction(SIGTERM, &former_term_, nullptr);
  sigaction(SIGINT, &former_int_, nullptr);
  (void)!write(pipe_[1], &over, 1);
  waiting_.join();
  signal_pipe = -1;
  close(pipe_[0]);
  close(pipe_[1]);
}

void EndSignals::wait_for_signal() const {
  bool told = false;
  for (char what = 0; what != over;) {
    if (read(pipe_[0], &what, 1) < 0 && errno != EINTR) return;
    if (what == signalled && !std::exchange(told, true)) on_signal_();
  }
}

}  // namespace agentd::sdk
