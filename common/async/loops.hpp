#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/async/loop.hpp"

namespace agentd::async {

/// The loops of one node, and the way from one to another.
///
/// What a turn of one loop hands over to another goes there together at the turn's end, in the order in which
/// it was handed over: without a lock, and waking the other loop once. Owned by the node, and gone after all
/// threads that turn them.
class Loops {
public:
  explicit Loops(std::size_t count);
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;

  [[nodiscard]] std::size_t count() const { return stations_.size(); }
  [[nodiscard]] Loop& operator[](std::size_t index) { return stations_[index]->loop; }

  /// Runs `work` on loop `to`, later. On the thread of loop `from` only, which may be the same one.
  template <typename Work>
  void hand_over(std::size_t from, std::size_t to, Work work) {
    put(from, to, std::make_unique<Handed<Work>>(std::move(work)));
  }

  /// Drops what was posted or handed over and has not run: while what it holds can still go. When no thread
  /// turns any of them.
  void discard();

private:
  /// Like `std::function`, for what can only be moved.
  struct Item {
    virtual ~Item() = default;
    virtual void run() = 0;
  };
  template <typename Work>
  struct Handed final : Item {
    explicit Handed(Work the_work) : work(std::move(the_work)) {}
    void run() override { work(); }
    Work work;
  };
  using Batch = std::vector<std::unique_ptr<Item>>;

  struct Station {
    Loop loop;
    /// What this turn hands over to each of the loops.
    std::vector<Batch> outgoing;
    bool scheduled = false;
  };

  void put(std::size_t from, std::size_t to, std::unique_ptr<Item> item);
  void send(Station& station);

  std::vector<std::unique_ptr<Station>> stations_;
};

}  // namespace agentd::async
