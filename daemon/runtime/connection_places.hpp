#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace agentd::runtime {

/// How many ids that are not known each connection waits for, on all loops of a node together.
///
/// Shared by the loops, and thread-safe: waiting for what is not known is no call's usual way.
class ConnectionPlaces {
public:
  [[nodiscard]] std::size_t of(std::uint64_t connection) const {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(connection);
    return found == places_.end() ? 0 : found->second;
  }
  void take(std::uint64_t connection) {
    const std::lock_guard lock(mutex_);
    ++places_[connection];
  }
  /// @pre it has one
  void leave(std::uint64_t connection) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(connection);
    if (--found->second == 0) places_.erase(found);
  }

private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::size_t> places_;
};

}  // namespace agentd::runtime
