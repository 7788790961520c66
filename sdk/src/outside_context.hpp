#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "common/async/loop.hpp"
#include "common/vocabulary/context.hpp"
#include "common/vocabulary/target.hpp"

namespace agentd::sdk {

/// The proxy that an address stands for in this program. Throws `Error` (`agent_not_found`) for a
/// local agent that is gone.
[[nodiscard]] std::shared_ptr<detail::Target> target_at(const AgentAddress& address);

/// Finds local agents, where the program links them; installed once, before the first use.
using LocalTargets = std::function<std::shared_ptr<detail::Target>(const std::string& id)>;
void set_local_targets(LocalTargets find);

/// A context for code of the program that runs outside any agent, on a thread where waiting is not
/// what it is elsewhere. Calls go where they would go without one.
class OutsideContext : public detail::CallContext {
public:
  Message call(const AgentAddress& agent, std::string_view method, const Message& input,
               const CallOptions& options) override;
  void progress(const Json&) override {}
  [[nodiscard]] bool cancelled() const override { return false; }
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override {
    return std::chrono::steady_clock::time_point::max();
  }
  [[nodiscard]] CallId id() const override { return {}; }
  void begin_wait(detail::Cell&) override {}
  void end_wait() override {}
  void awaits(const detail::Cell&) override {}
};

/// This thread is about to block for something that is no message. Throws where that is not allowed.
class BlockingScope {
public:
  BlockingScope();
  ~BlockingScope();
  BlockingScope(const BlockingScope&) = delete;
  BlockingScope& operator=(const BlockingScope&) = delete;

private:
  detail::CallContext* context_;
};

/// Callbacks on a loop of the SDK: reading what is not there would stop the loop that brings it, so
/// it throws; coroutines go on there.
class LoopContext final : public OutsideContext {
public:
  explicit LoopContext(async::Loop& loop) : loop_(loop) {}
  void begin_wait(detail::Cell&) override;
  void resume(std::coroutine_handle<> waiting) override;
  void resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) override;

private:
  async::Loop& loop_;
};

/// A thread that runs a coroutine to its end: whatever the coroutine waits for, it goes on here. While it
/// waits the thread is blocked, which is for the outer context to allow.
class SyncContext final : public OutsideContext {
public:
  /// `outer` is the context that the thread had; null for none.
  explicit SyncContext(detail::CallContext* outer) : outer_(outer) {}

  /// Resumes what is due until `done`.
  void run_until(const bool& done);

  Message call(const AgentAddress& agent, std::string_view method, const Message& input,
               const CallOptions& options) override;
  void progress(const Json& value) override;
  [[nodiscard]] bool cancelled() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override;
  [[nodiscard]] CallId id() const override;
  void begin_wait(detail::Cell& cell) override;
  void end_wait() override;
  void awaits(const detail::Cell& cell) override;
  void resume(std::coroutine_handle<> waiting) override;
  void resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) override;

private:
  using Clock = std::chrono::steady_clock;

  void suspends(detail::Cell& cell);
  void resume_at(Clock::time_point when, std::coroutine_handle<> waiting);

  detail::CallContext* outer_;
  /// The outer context has been told of a wait that has not ended.
  bool suspended_ = false;
  std::mutex mutex_;
  std::condition_variable due_;
  std::multimap<Clock::time_point, std::coroutine_handle<>> waiting_;
};

}  // namespace agentd::sdk
