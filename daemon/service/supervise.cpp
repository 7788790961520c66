#include "daemon/service/supervise.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/service/notify.hpp"

namespace agentd::service {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How often the work is asked to stop: a signal more ends it.
constexpr int most_stops = 2;

/// Set once by one thread, seen by another in `poll`.
class Flag {
public:
  Flag() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  Flag(const Flag&) = delete;
  Flag& operator=(const Flag&) = delete;
  ~Flag() { close(descriptor_); }

  void set() const { eventfd_write(descriptor_, 1); }
  [[nodiscard]] int descriptor() const { return descriptor_; }

private:
  int descriptor_;
};

}  // namespace

/// What the supervisor shares with the threads of the work. Threads that are abandoned keep it alive.
struct Supervised {
  Work work;
  std::atomic<int> threads = 0;
  Flag ended;
  /// The grace that the work gives itself; -1 while it has not begun to end by itself.
  std::atomic<std::int64_t> own_grace_ms = -1;
  Flag ending;
};

namespace {

class Watch {
public:
  Watch(const Signals& signals, std::shared_ptr<Supervised> shared, const Patience& patience)
      : signals_(signals), patience_(patience), shared_(std::move(shared)) {
    if (patience_.watchdog) next_pet_ = Clock::now();
  }

  Ending until_end() {
    start([](const Work& work) { work.run(); });
    watch_ending();
    while (true) {
      pet_if_due();
      if (wait()) return leave(&std::thread::join, Ending::complete);
      if (is_time_over()) return leave(&std::thread::detach, Ending::abandoned);
      while (const auto signal = signals_.next()) handle(*signal);
    }
  }

private:
  /// The last thread to leave says that all has ended: a `stop` that still runs is not cut short.
  template <typename Body>
  void start(Body body) {
    ++shared_->threads;
    threads_.emplace_back([shared = shared_, body] {
      body(shared->work);
      if (--shared->threads == 0) shared->ended.set();
    });
  }

  void watch_ending() const {
    if (!shared_->work.watch_ending) return;
    shared_->work.watch_ending([shared = std::weak_ptr<Supervised>(shared_)](milliseconds grace) {
      const auto there = shared.lock();
      std::int64_t none = -1;
      if (there && there->own_grace_ms.compare_exchange_strong(none, grace.count())) there->ending.set();
    });
  }

  /// Until something happens or is due; true where the work has ended.
  [[nodiscard]] bool wait() {
    const int ending = stopping_ ? -1 : shared_->ending.descriptor();
    std::array<pollfd, 3> watched{
        {{signals_.descriptor(), POLLIN, 0}, {shared_->ended.descriptor(), POLLIN, 0}, {ending, POLLIN, 0}}};
    poll(watched.data(), watched.size(), timeout());
    if ((watched[2].revents & POLLIN) != 0) begin_stopping(milliseconds(shared_->own_grace_ms));
    return (watched[1].revents & POLLIN) != 0;
  }

  void begin_stopping(milliseconds grace) {
    if (!std::exchange(stopping_, true)) notify_stopping();
    give_up_ = Clock::now() + grace + patience_.overtime;
  }

  [[nodiscard]] bool is_time_over() {
    if (Clock::now() < give_up_) return false;
    const auto& last_progress = shared_->work.last_progress;
    if (stops_ > most_stops || !last_progress) return true;
    give_up_ = std::max(give_up_, last_progress() + patience_.overtime);
    const auto left = give_up_ - Clock::now();
    if (left <= Clock::duration::zero()) return true;
    notify_longer_stop(std::chrono::ceil<std::chrono::microseconds>(left + patience_.overtime));
    return false;
  }

  /// For `poll`: milliseconds until the next thing is due, -1 where nothing is.
  [[nodiscard]] int timeout() const {
    const auto due = std::min(next_pet_, give_up_);
    if (due == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<milliseconds>(due - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  }

  void pet_if_due() {
    if (Clock::now() < next_pet_) return;
    if (shared_->work.answers()) pet_watchdog();
    next_pet_ = Clock::now() + *patience_.watchdog / 2;
  }

  void handle(int signal) {
    if (signal != SIGHUP) {
      stop();
    } else if (!stopping_) {
      shared_->work.reload();
    }
  }

  void stop() {
    if (++stops_ > most_stops) {
      give_up_ = Clock::now();
      return;
    }
    const milliseconds grace = stops_ == 1 ? patience_.grace : milliseconds{0};
    begin_stopping(grace);
    start([grace](const Work& work) { work.stop(grace); });
  }

  Ending leave(void (std::thread::*end)(), Ending ending) {
    for (std::thread& thread : threads_) (thread.*end)();
    return ending;
  }

  const Signals& signals_;
  const Patience patience_;
  std::shared_ptr<Supervised> shared_;
  std::vector<std::thread> threads_;
  int stops_ = 0;
  bool stopping_ = false;
  Clock::time_point next_pet_ = Clock::time_point::max();
  Clock::time_point give_up_ = Clock::time_point::max();
};

}  // namespace

Supervisor::Supervisor(const Signals& signals)
    : signals_(signals), supervised_(std::make_shared<Supervised>()) {}

Ending Supervisor::watch(Work work, const Patience& patience) {
  supervised_->work = std::move(work);
  return Watch(signals_, supervised_, patience).until_end();
}

}  // namespace agentd::service
