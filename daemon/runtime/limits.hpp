#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <agentd/error.hpp>

namespace agentd::runtime {

/// The bounds of a runtime. Past one, a caller gets `overloaded`, naming it, and nothing is queued.
struct Limits {
  std::uint32_t agents = 4'000'000;
  /// Unsettled calls of the node.
  std::uint32_t calls = 4'000'000;
  /// Calls that wait for one agent.
  std::uint32_t mailbox = 10'000;
  /// Bytes of kept outcomes; a quarter of it for one caller.
  std::uint64_t outcomes = 1ULL << 30;
  /// Elements of one batch.
  std::uint32_t batch = 20'000;
  /// Requests that wait for calls; a quarter of it for one connection.
  std::uint32_t waits = 100'000;
  /// Ids that are waited for and not known; a quarter of it for one connection.
  std::uint32_t expected = 100'000;
  /// Outcomes of settled calls that subscribers have yet to be told of; a quarter of it for one connection.
  /// That is room for all calls that a program may ask for when it is connected again.
  std::uint32_t tellings = 4'000'000;
  /// Released or expired ids that are remembered, and for how long.
  std::uint32_t tombstones = 500'000;
  std::chrono::milliseconds tombstone_ttl{600'000};
  /// Of one outcome, with its envelope.
  std::uint32_t outcome_size = 1U << 20;
  /// Of one input with placeholders, once they are filled in.
  std::uint64_t input = 16ULL << 20;
  /// Such inputs of all calls that run.
  std::uint64_t running_inputs = 1ULL << 30;
  std::uint32_t blocked_workers = 256;
  std::chrono::milliseconds deadline{300'000};
  std::chrono::milliseconds outcome_ttl{3'600'000};
  /// How long a refused notification is remembered.
  std::chrono::milliseconds refusal_ttl{10'000};
  /// How long an unknown placeholder to the node itself is waited for.
  std::chrono::milliseconds grace{10'000};
  /// How long a watcher may wait for an unknown id.
  std::chrono::milliseconds longest_grace{60'000};
};

/// What one caller or connection may have of a bound.
[[nodiscard]] constexpr std::uint64_t share_of(std::uint64_t bound) { return bound < 4 ? bound : bound / 4; }

/// What is said past the bound of that name.
[[nodiscard]] Error overloaded(std::string_view limit, std::string message);

}  // namespace agentd::runtime
