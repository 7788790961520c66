#include "common/vocabulary/cell.hpp"

#include <algorithm>
#include <utility>

#include "common/vocabulary/context.hpp"

namespace agentd::detail {
namespace {

void run_all(std::vector<Cell::Settled>& callbacks) {
  for (auto& callback : callbacks) callback();
}

/// Tells the call that waits here, if one does, for as long as it blocks.
class WaitScope {
public:
  explicit WaitScope(Cell& cell) : context_(current_context()) {
    if (context_) context_->begin_wait(cell);
  }
  ~WaitScope() {
    if (context_) context_->end_wait();
  }
  WaitScope(const WaitScope&) = delete;
  WaitScope& operator=(const WaitScope&) = delete;

private:
  CallContext* context_;
};

const Json& parse_once(std::optional<Json>& opened, const SharedText& text) {
  if (!opened) opened = text ? Json::parse(*text) : Json(nullptr);
  return *opened;
}

std::string joined_contents(const std::vector<Message>& parts) {
  std::string text = "[";
  for (const Message& part : parts) {
    if (text.size() > 1) text += ',';
    text += part.raw_content();
  }
  return text += ']';
}

}  // namespace

void CellSource::wait(Cell& cell, std::optional<Cell::Clock::time_point> limit) { cell.block_until(limit); }

Cell::Cell(MessageData data) : state_(State::done), data_(std::move(data)) {}

Cell::Cell(std::vector<Message> parts) : join_depth_(1), parts_(std::move(parts)) {
  for (const Message& part : parts_) {
    if (!part.empty()) join_depth_ = std::max(join_depth_, part.cell()->join_depth() + 1);
  }
  if (parts_.empty()) {
    data_.content = SharedText::copy("[]");
    state_ = State::done;
  }
}

Cell::Waiting& Cell::waiting() {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  return *waiting_;
}

Cell::Opened& Cell::opened() {
  if (!opened_) opened_ = std::make_unique<Opened>();
  return *opened_;
}

bool Cell::settle(MessageData data) {
  std::unique_lock lock(mutex_);
  if (settled()) return false;
  data_ = std::move(data);
  finish(std::move(lock), State::done);
  return true;
}

bool Cell::fail(Error error) {
  std::unique_lock lock(mutex_);
  if (settled()) return false;
  error_ = std::make_unique<const Error>(std::move(error));
  finish(std::move(lock), State::failed);
  return true;
}

bool Cell::settle_elsewhere() {
  std::unique_lock lock(mutex_);
  if (settled()) return false;
  finish(std::move(lock), State::elsewhere);
  return true;
}

void Cell::supply(MessageData data) {
  std::unique_lock lock(mutex_);
  if (state_ != State::elsewhere) return;
  data_ = std::move(data);
  finish(std::move(lock), State::done);
}

void Cell::supply_failure(Error error) {
  std::unique_lock lock(mutex_);
  if (state_ != State::elsewhere) return;
  error_ = std::make_unique<const Error>(std::move(error));
  finish(std::move(lock), State::failed);
}

void Cell::finish(std::unique_lock<std::mutex> lock, State state) {
  state_.store(state, std::memory_order_release);
  const bool has_value = state != State::elsewhere;
  // Whoever is about to ask for the value finds that it is asked for.
  asked_ |= !has_value && waiting_ && !waiting_->readable.empty();
  const bool wanted = !has_value && asked_;
  if (!waiting_ && !wanted) return;
  std::vector<Settled> settled = std::exchange(waiting().settled, {});
  std::vector<Settled> readable;
  if (has_value) {
    readable = std::exchange(waiting_->readable, {});
    waiting_->progress.clear();
  }
  lock.unlock();
  if (has_value) waiting_->changed.notify_all();
  run_all(settled);
  run_all(readable);
  if (wanted && source_) source_->fetch(shared_from_this());
}

void Cell::progress(const Json& value) {
  std::vector<Progress> callbacks;
  {
    const std::lock_guard lock(mutex_);
    if (settled()) return;
    if (waiting_) callbacks = waiting_->progress;
  }
  for (auto& callback : callbacks) callback(value);
}

bool Cell::readable() const {
  if (!parts_.empty()) {
    for (const Message& part : parts_) {
      if (!part.ready()) return false;
    }
    return true;
  }
  const State state = state_.load(std::memory_order_acquire);
  return state == State::done || state == State::failed;
}

void Cell::ask_for_value() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(asked_, true) || state_ != State::elsewhere) return;
  }
  if (source_) source_->fetch(shared_from_this());
}

bool Cell::wait_until(std::optional<Clock::time_point> limit) {
  if (readable()) return true;
  if (!parts_.empty()) {
    for (const Message& part : parts_) {
      if (!part.empty() && !part.cell()->wait_until(limit)) return false;
    }
    return true;
  }
  const WaitScope scope(*this);
  ask_for_value();
  if (source_) {
    source_->wait(*this, limit);
  } else {
    block_until(limit);
  }
  return readable();
}

void Cell::block_until(std::optional<Clock::time_point> limit) {
  std::unique_lock lock(mutex_);
  const auto there = [this] { return readable(); };
  std::condition_variable& changed = waiting().changed;
  if (limit) {
    changed.wait_until(lock, *limit, there);
  } else {
    changed.wait(lock, there);
  }
}

const MessageData& Cell::read() {
  wait_until(std::nullopt);
  if (!parts_.empty()) {
    for (const Message& part : parts_) {
      if (!part.empty()) part.cell()->read();
    }
    const std::lock_guard lock(mutex_);
    if (!data_.content) data_.content = SharedText(joined_contents(parts_));
    return data_;
  }
  if (error_) throw *error_;
  return data_;
}

const Json& Cell::opened_content() {
  const SharedText& text = read().content;
  const std::lock_guard lock(mutex_);
  return parse_once(opened().content, text);
}

const Json& Cell::opened_metadata() {
  const SharedText& text = read().metadata;
  const std::lock_guard lock(mutex_);
  return parse_once(opened().metadata, text);
}

const std::string& Cell::label(Label label) {
  const Labels& labels = read().labels;
  const std::lock_guard lock(mutex_);
  auto& text = opened().labels[static_cast<std::size_t>(label)];
  if (!text) text = labels.text(label);
  return *text;
}

/// Each part calls once; the last one to do so is the moment of the join.
void Cell::watch_parts(void (Cell::*watch)(Settled), Settled callback) {
  auto left = std::make_shared<std::atomic<std::size_t>>(parts_.size());
  auto shared = std::make_shared<Settled>(std::move(callback));
  for (const Message& part : parts_) {
    auto one_less = [left, shared] {
      if (left->fetch_sub(1) == 1) (*shared)();
    };
    if (part.empty()) {
      one_less();
    } else {
      (part.cell().get()->*watch)(std::move(one_less));
    }
  }
}

void Cell::when_settled(Settled callback) {
  if (!parts_.empty()) return watch_parts(&Cell::when_settled, std::move(callback));
  {
    const std::lock_guard lock(mutex_);
    if (!settled()) {
      waiting().settled.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

void Cell::when_readable(Settled callback) {
  if (!parts_.empty()) return watch_parts(&Cell::when_readable, std::move(callback));
  {
    const std::lock_guard lock(mutex_);
    if (!readable()) {
      waiting().readable.push_back(std::move(callback));
      callback = nullptr;
    }
  }
  if (callback) return callback();
  ask_for_value();
}

void Cell::when_progress(Progress callback) {
  const std::lock_guard lock(mutex_);
  if (!readable()) waiting().progress.push_back(std::move(callback));
}

}  // namespace agentd::detail
