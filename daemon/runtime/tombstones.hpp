#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include <agentd/ids.hpp>

namespace agentd::runtime {

/// Ids of calls that were released or have expired: used again they must not run. Bounded in time and
/// in number; the oldest go first. Loop thread only.
///
/// Every call is looked for here once and put here once, among half a million others, so what counts is how
/// much memory that touches: of an id only 64 bits are kept, in the one table that is looked into, and a
/// caller who knows an id early can have its place fetched (`announce`). Two of half a million ids share
/// their bits by chance once in some fifty years of ten thousand calls a second. The bits are drawn with a
/// secret of this process, so nobody can make two ids that share them.
class Tombstones {
public:
  using Clock = std::chrono::steady_clock;

  Tombstones(std::size_t most, std::chrono::milliseconds ttl) : most_(most), ttl_(ttl) {}

  void add(const CallId& id, Clock::time_point now);
  [[nodiscard]] bool has(const CallId& id, Clock::time_point now);
  [[nodiscard]] std::size_t size() const { return order_.size(); }

  /// The id will be asked for, or added, soon.
  void announce(const CallId& id) const {
    if (!table_.empty()) __builtin_prefetch(&table_[print_of(id) & mask()]);
  }

private:
  /// Never 0, which marks a free place.
  using Print = std::uint64_t;
  struct Entry {
    Print print = 0;
    Clock::time_point until;
  };

  [[nodiscard]] static Print print_of(const CallId& id) { return id.hash() | 1U << 31U; }
  [[nodiscard]] std::size_t mask() const { return table_.size() - 1; }
  /// Where it stands, or the free place where it would.
  [[nodiscard]] std::size_t place_of(Print print) const;
  void grow();
  void forget_old(Clock::time_point now);
  void forget_first();

  std::size_t most_;
  std::chrono::milliseconds ttl_;
  /// Open addressing, one place after the other, at most half full.
  std::vector<Print> table_;
  std::deque<Entry> order_;
};

}  // namespace agentd::runtime
