#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <agentd/message.hpp>

#include "common/vocabulary/message_data.hpp"
#include "common/vocabulary/pool.hpp"

namespace agentd::detail {

/// Where a cell's outcome comes from, and what its holders may ask of it.
/// Owned by the cell; its destructor is the release. Called from any thread.
class CellSource {
public:
  virtual ~CellSource() = default;
  /// Where other nodes may ask for the outcome; nothing where they cannot.
  [[nodiscard]] virtual std::optional<Placeholder> placeholder() const { return std::nullopt; }
  /// Asks for the value that was left out when the cell settled. Ends in `Cell::supply`.
  virtual void fetch(const std::shared_ptr<Cell>& /*cell*/) {}
  virtual void cancel(const std::shared_ptr<Cell>& /*cell*/) {}
  /// Blocks the calling thread until the cell is readable, or until `limit`. A source may use the
  /// thread meanwhile for what brings the outcome.
  virtual void wait(Cell& cell, std::optional<std::chrono::steady_clock::time_point> limit);
};

/// The state behind a message: settles once, then never changes.
///
/// Thread-safe. Callbacks run on the thread that settles the cell, outside its lock, exactly once.
class Cell : public std::enable_shared_from_this<Cell> {
public:
  using Clock = std::chrono::steady_clock;
  using Settled = std::function<void()>;
  using Progress = std::function<void(const Json&)>;

  /// Made the way that all the others take, from memory that earlier ones gave back.
  template <typename... Args>
  [[nodiscard]] static std::shared_ptr<Cell> make(Args&&... args) {
    return std::allocate_shared<Cell>(PoolAllocator<Cell>(), std::forward<Args>(args)...);
  }

  /// Pending.
  Cell() = default;
  explicit Cell(std::unique_ptr<CellSource> source) : source_(std::move(source)) {}
  /// Settled with a value from the start.
  explicit Cell(MessageData data);
  /// A join: settles when its parts have.
  explicit Cell(std::vector<Message> parts);

  /// These answer false, and change nothing, where the cell has settled before.
  bool settle(MessageData data);
  bool fail(Error error);
  /// Settled as done, but the value stays where it is until somebody reads it.
  bool settle_elsewhere();
  /// The value that `fetch` asked for.
  void supply(MessageData data);
  void supply_failure(Error error);
  /// Partial output, in order.
  void progress(const Json& value);

  /// Has an outcome, though its value may be elsewhere.
  [[nodiscard]] bool settled() const { return state_.load(std::memory_order_acquire) != State::pending; }
  /// Has an outcome, and reading it does not wait.
  [[nodiscard]] bool readable() const;
  /// Null unless failed. @pre settled()
  [[nodiscard]] const Error* error() const { return error_.get(); }

  /// Waits until readable, fetching the value where it is elsewhere. False where `limit` came first.
  bool wait_until(std::optional<Clock::time_point> limit);
  /// Blocks until readable, or until `limit`; asks nobody for the value.
  void block_until(std::optional<Clock::time_point> limit);
  /// Waits until readable; throws the error of a failed cell.
  const MessageData& read();
  /// The content, opened; parsed once.
  const Json& opened_content();
  const Json& opened_metadata();
  const std::string& label(Label label);

  /// Calls back when settled (the value may be elsewhere).
  void when_settled(Settled callback);
  /// Calls back when readable: fetches the value where it was left out.
  void when_readable(Settled callback);
  void when_progress(Progress callback);

  [[nodiscard]] CellSource* source() const { return source_.get(); }
  [[nodiscard]] const std::vector<Message>& parts() const { return parts_; }
  /// How deep joins are nested here: 0 for what is none.
  [[nodiscard]] unsigned join_depth() const { return join_depth_; }

private:
  enum class State : std::uint8_t { pending, elsewhere, done, failed };

  /// Those who wait for it: most cells never have one.
  struct Waiting {
    std::condition_variable changed;
    std::vector<Settled> settled;
    std::vector<Settled> readable;
    std::vector<Progress> progress;
  };
  /// What was read of it, in the form that it was read in.
  struct Opened {
    std::optional<Json> content;
    std::optional<Json> metadata;
    std::array<std::optional<std::string>, label_count> labels;
  };

  // With the lock held.
  Waiting& waiting();
  Opened& opened();

  void finish(std::unique_lock<std::mutex> lock, State state);
  void ask_for_value();
  void watch_parts(void (Cell::*watch)(Settled), Settled callback);

  std::atomic<State> state_{State::pending};
  bool asked_ = false;
  unsigned join_depth_ = 0;
  MessageData data_;
  std::unique_ptr<const Error> error_;
  std::vector<Message> parts_;
  std::unique_ptr<CellSource> source_;

  std::mutex mutex_;
  std::unique_ptr<Waiting> waiting_;
  std::unique_ptr<Opened> opened_;
};

}  // namespace agentd::detail
