#pragma once

#include <cstdint>

#include "common/async/owned_count.hpp"

namespace agentd::runtime {

/// What a runtime holds, and what it has counted since the start.
template <typename Number>
struct Tallied {
  // Now.
  Number agents{};
  Number unsettled{};
  /// Of these, the ones whose method runs.
  Number running_unsettled{};
  /// All calls whose method runs, settled or not.
  Number running{};
  /// Retained, settled or not.
  Number calls{};
  Number outcome_bytes{};
  /// Of the inputs of running calls.
  Number assembled_bytes{};
  /// Ids that are waited for and not known.
  Number expected{};
  /// Requests that wait for calls.
  Number waits{};
  /// Subscribers that have yet to be told of a call that had settled.
  Number tellings{};

  // Since the start.
  Number accepted{};
  Number done{};
  Number failed{};
  Number cancelled{};
  Number refused{};
  /// Notifications that nobody could be told about.
  Number dropped{};
  Number released{};
  Number expired{};

  /// Of numbers that were read one after the other, while they changed.
  [[nodiscard]] std::uint64_t settled() const { return less(calls, unsettled); }
  [[nodiscard]] std::uint64_t pending() const { return less(unsettled, running_unsettled); }

  template <typename Other>
  Tallied& operator+=(const Tallied<Other>& other) {
    agents += other.agents;
    unsettled += other.unsettled;
    running_unsettled += other.running_unsettled;
    running += other.running;
    calls += other.calls;
    outcome_bytes += other.outcome_bytes;
    assembled_bytes += other.assembled_bytes;
    expected += other.expected;
    waits += other.waits;
    tellings += other.tellings;
    accepted += other.accepted;
    done += other.done;
    failed += other.failed;
    cancelled += other.cancelled;
    refused += other.refused;
    dropped += other.dropped;
    released += other.released;
    expired += other.expired;
    return *this;
  }

private:
  static std::uint64_t less(std::uint64_t all, std::uint64_t some) { return all > some ? all - some : 0; }
};

/// Changed by its runtime, read by all loops.
using Tally = Tallied<async::OwnedCount>;
/// Of several runtimes together: a value.
using Totals = Tallied<std::uint64_t>;

}  // namespace agentd::runtime
