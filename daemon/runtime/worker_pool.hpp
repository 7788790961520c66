#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace agentd::runtime {

/// Threads for methods that may block. A worker that waits for a message does not count: another one
/// takes its place, up to a bound, so agents that wait for each other cannot use up the pool.
///
/// Owned by the runtime. Thread-safe.
class WorkerPool {
public:
  using Work = std::function<void()>;

  /// Threads start when they are needed.
  WorkerPool(unsigned workers, unsigned may_block);
  /// @see join
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void submit(Work work);

  /// The calling worker is about to wait, and has done so. `begin_wait` answers false where the bound
  /// of waiting workers is reached.
  [[nodiscard]] bool begin_wait();
  void end_wait();

  /// Takes no more work, and waits until `until` for what runs; false where something still does.
  bool stop(std::chrono::steady_clock::time_point until);

  /// As `stop`, however long it takes.
  void join();

  [[nodiscard]] unsigned waiting() const;

private:
  void start_worker_if_needed();
  void work(std::list<std::thread>::iterator self);
  void join_finished();

  const unsigned workers_;
  const unsigned may_block_;
  mutable std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable ended_;
  std::deque<Work> queue_;
  std::list<std::thread> threads_;
  std::list<std::thread> finished_;
  /// Threads that are there; of these, idle ones, and ones that wait for a message.
  unsigned alive_ = 0;
  unsigned idle_ = 0;
  unsigned waiting_ = 0;
  bool stopping_ = false;
};

}  // namespace agentd::runtime
