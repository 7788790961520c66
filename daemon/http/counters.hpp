#pragma once

#include <cstdint>

#include "common/async/owned_count.hpp"

namespace agentd::http {

/// What has happened so far. For the metrics.
template <typename Number>
struct CountersOf {
  Number accepted{};
  /// Connections turned away because there were too many.
  Number turned_away{};
  /// Requests answered with 4xx: not policy's, not the grammar's, not within the bounds.
  Number refused{};
  Number requests{};
  Number frames_received{};
  Number frames_sent{};
  Number bytes_received{};
  Number bytes_sent{};
  /// Connections ended by us: stalled, silent, over a bound, against the protocol.
  Number dropped{};
  /// Open now.
  Number websockets{};

  template <typename Other>
  void add(const CountersOf<Other>& other) {
    accepted += other.accepted;
    turned_away += other.turned_away;
    refused += other.refused;
    requests += other.requests;
    frames_received += other.frames_received;
    frames_sent += other.frames_sent;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
    dropped += other.dropped;
    websockets += other.websockets;
  }
};

/// Of a server, when it was asked.
using ServerCounters = CountersOf<std::uint64_t>;
/// Of one loop: counted on its thread, and read on any.
using LoopCounters = CountersOf<async::OwnedCount>;

}  // namespace agentd::http
