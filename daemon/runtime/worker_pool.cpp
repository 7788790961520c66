#include "daemon/runtime/worker_pool.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace agentd::runtime {

WorkerPool::WorkerPool(unsigned workers, unsigned may_block)
    : workers_(std::max(1U, workers)), may_block_(may_block) {}

WorkerPool::~WorkerPool() { join(); }

void WorkerPool::join() {
  stop(std::chrono::steady_clock::time_point::min());
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return alive_ == 0; });
  join_finished();
}

void WorkerPool::join_finished() {
  for (std::thread& thread : finished_) thread.join();
  finished_.clear();
}

void WorkerPool::submit(Work work) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  queue_.push_back(std::move(work));
  start_worker_if_needed();
  if (idle_ > 0) wanted_.notify_one();
}

void WorkerPool::start_worker_if_needed() {
  if (stopping_ || queue_.empty() || idle_ >= queue_.size() || alive_ >= workers_ + waiting_) return;
  threads_.emplace_front();
  try {
    threads_.front() = std::thread([this, self = threads_.begin()] { this->work(self); });
    ++alive_;
  } catch (const std::system_error&) {
    // No more threads to be had: the work waits for one of those that are there.
    threads_.pop_front();
  }
}

void WorkerPool::work(std::list<std::thread>::iterator self) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // Where workers came back from waiting there are too many now: the surplus ends.
    if (alive_ > workers_ + waiting_) break;
    if (queue_.empty()) {
      ++idle_;
      wanted_.wait(lock);
      --idle_;
      continue;
    }
    Work work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
  --alive_;
  join_finished();
  finished_.splice(finished_.begin(), threads_, self);
  start_worker_if_needed();
  // Who ends here may have been woken for work that is still there.
  if (!queue_.empty()) wanted_.notify_one();
  ended_.notify_all();
}

bool WorkerPool::begin_wait() {
  const std::lock_guard lock(mutex_);
  if (waiting_ >= may_block_) return false;
  ++waiting_;
  start_worker_if_needed();
  return true;
}

void WorkerPool::end_wait() {
  const std::lock_guard lock(mutex_);
  --waiting_;
}

bool WorkerPool::stop(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  queue_.clear();
  wanted_.notify_all();
  const bool all_ended = ended_.wait_until(lock, until, [this] { return alive_ == 0; });
  join_finished();
  return all_ended;
}

unsigned WorkerPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace agentd::runtime
