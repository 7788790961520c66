#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_map>

#include <agentd/ids.hpp>

namespace agentd::runtime {

/// Where the calls of a node are whose ids have their home at another loop than their agent's: an id that the
/// caller made up. What the SDK mints is no stray, and never gets here.
///
/// Shared by the loops of a node, and thread-safe: the one place where they meet under a lock.
class Strays {
public:
  /// The shard of that call; nothing where it is none of these.
  [[nodiscard]] std::optional<std::size_t> find(const CallId& id) const {
    if (count_.load(std::memory_order_acquire) == 0) return std::nullopt;
    const Part& part = part_of(id);
    const std::lock_guard lock(part.mutex);
    const auto found = part.shards.find(id);
    if (found == part.shards.end()) return std::nullopt;
    return found->second;
  }

  /// A call with that id is on its way to `shard`. Answers where the first one went, which is where this one
  /// belongs as well.
  std::size_t add(const CallId& id, std::size_t shard) {
    Part& part = part_of(id);
    const std::lock_guard lock(part.mutex);
    const auto [place, is_new] = part.shards.emplace(id, shard);
    if (is_new) count_.fetch_add(1, std::memory_order_release);
    return place->second;
  }

  /// There is nothing of that id at `shard` any more; what is elsewhere stays.
  void remove(const CallId& id, std::size_t shard) {
    Part& part = part_of(id);
    const std::lock_guard lock(part.mutex);
    const auto found = part.shards.find(id);
    if (found == part.shards.end() || found->second != shard) return;
    part.shards.erase(found);
    count_.fetch_sub(1, std::memory_order_release);
  }

private:
  struct alignas(64) Part {
    mutable std::mutex mutex;
    std::unordered_map<CallId, std::size_t> shards;
  };

  [[nodiscard]] const Part& part_of(const CallId& id) const {
    return parts_[std::hash<CallId>()(id) % parts_.size()];
  }
  [[nodiscard]] Part& part_of(const CallId& id) { return parts_[std::hash<CallId>()(id) % parts_.size()]; }

  std::array<Part, 16> parts_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace agentd::runtime
