#pragma once

#include <atomic>
#include <cstdint>

namespace agentd::async {

/// A number that one thread changes and any may read: what a loop counts, and others add up. It costs its
/// owner what a plain number does.
class OwnedCount {
public:
  OwnedCount() = default;
  OwnedCount(const OwnedCount&) = delete;
  OwnedCount& operator=(const OwnedCount&) = delete;

  operator std::uint64_t() const { return value_.load(std::memory_order_relaxed); }

  // The owner's thread only.
  OwnedCount& operator+=(std::uint64_t more) {
    value_.store(*this + more, std::memory_order_relaxed);
    return *this;
  }
  OwnedCount& operator-=(std::uint64_t less) {
    value_.store(*this - less, std::memory_order_relaxed);
    return *this;
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  OwnedCount& operator++() { return *this += 1; }
  OwnedCount& operator--() { return *this -= 1; }

private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace agentd::async
