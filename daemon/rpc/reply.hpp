#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <agentd/error.hpp>

#include "daemon/rpc/dispatcher.hpp"

namespace agentd::rpc {

/// The answers to one HTTP body, which leave together when the last is there.
class BodyAnswers {
public:
  using Bytes = std::shared_ptr<std::atomic<std::size_t>>;

  BodyAnswers(bool batch, Dispatcher::Answer answer,
              Bytes bytes = std::make_shared<std::atomic<std::size_t>>())
      : batch_(batch), bytes_(std::move(bytes)), answer_(std::move(answer)) {}

  /// Keeps the body open for one more answer.
  void expect() { ++open_; }
  void add(std::string text) {
    *bytes_ += text.size();
    texts_.push_back(std::move(text));
  }
  /// The answers are so large together that no large one may be added.
  [[nodiscard]] bool full() const { return *bytes_ > most_bytes; }
  /// How many there are, of all shards that answer to one HTTP body. Thread-safe.
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  /// As `add`, of an answer that has been counted where it was made.
  void add_counted(std::string text) { texts_.push_back(std::move(text)); }
  /// One that was expected is there, or will never be.
  void complete();

private:
  static constexpr std::size_t most_bytes = 8U << 20;

  bool batch_;
  Bytes bytes_;
  std::size_t open_ = 0;
  std::vector<std::string> texts_;
  Dispatcher::Answer answer_;
};

/// Where the answer to one request goes: used once. For a notification it goes nowhere.
/// A value; loop thread only.
class Reply {
public:
  /// To nobody.
  Reply() = default;
  Reply(std::weak_ptr<Channel> channel, std::string_view id, bool in_batch)
      : channel_(std::move(channel)), id_(id), in_batch_(in_batch), wanted_(true) {}
  Reply(std::shared_ptr<BodyAnswers> body, std::string_view id)
      : body_(std::move(body)), id_(id), wanted_(true) {
    body_->expect();
  }
  // Who was moved from has nobody to answer.
  Reply(Reply&& other) noexcept { *this = std::move(other); }
  Reply& operator=(Reply&& other) noexcept {
    channel_ = std::move(other.channel_);
    body_ = std::move(other.body_);
    id_ = std::move(other.id_);
    in_batch_ = other.in_batch_;
    wanted_ = std::exchange(other.wanted_, false);
    return *this;
  }

  /// Whether somebody gets it.
  [[nodiscard]] bool wanted() const { return wanted_; }
  /// Whether an answer of that many bytes may be added to what waits already. What has no room need not be
  /// made: `no_room` says so.
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  void no_room();
  /// `result` is JSON text.
  void result(std::string_view result);
  void error(const Error& error);

private:
  template <typename Append>
  void send(Append append);
  [[nodiscard]] bool is_full() const;

  std::weak_ptr<Channel> channel_;
  std::shared_ptr<BodyAnswers> body_;
  /// JSON text.
  std::string id_;
  bool in_batch_ = false;
  bool wanted_ = false;
};

}  // namespace agentd::rpc
