#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include <agentd/agent_ref.hpp>
#include <agentd/ids.hpp>

namespace agentd {

/// Many agents of one node, `PREFIX-0`, `PREFIX-1`, …: what `remote_many` answers.
///
///     const auto sleepers = agentd::remote_many("sleeper", 1'000'000, {}, {{"seconds", 1}});
///     for (const agentd::AgentRef& sleeper : sleepers) answers.push_back(sleeper("tides"));
///
/// A value of some bytes, however many they are: a proxy is made when it is asked for, and goes with its
/// last copy and its last call. Owns no agent. Thread-safe.
class AgentRange {
public:
  class Iterator;

  /// No agents.
  AgentRange() = default;
  /// For `remote_many`.
  AgentRange(NodeAddress node, std::string prefix, std::size_t size)
      : node_(std::move(node)), prefix_(std::move(prefix)), size_(size) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Throws `std::out_of_range` where there are not so many.
  [[nodiscard]] AgentRef operator[](std::size_t index) const;
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;

  [[nodiscard]] const NodeAddress& node() const { return node_; }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  /// The id of the agent at that place; asks nobody.
  [[nodiscard]] std::string id(std::size_t index) const { return prefix_ + '-' + std::to_string(index); }

private:
  NodeAddress node_;
  std::string prefix_;
  std::size_t size_ = 0;
};

/// Makes each proxy as it comes to it. Valid as long as the range is.
class AgentRange::Iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = AgentRef;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = AgentRef;

  Iterator() = default;
  Iterator(const AgentRange& range, std::size_t index) : range_(&range), index_(index) {}

  AgentRef operator*() const { return (*range_)[index_]; }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  Iterator operator++(int) {
    const Iterator before = *this;
    ++index_;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

private:
  const AgentRange* range_ = nullptr;
  std::size_t index_ = 0;
};

inline AgentRange::Iterator AgentRange::begin() const { return {*this, 0}; }
inline AgentRange::Iterator AgentRange::end() const { return {*this, size_}; }

}  // namespace agentd
