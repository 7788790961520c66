#pragma once

#include <chrono>
#include <coroutine>
#include <memory>
#include <string>

#include <agentd/agent_ref.hpp>
#include <agentd/message.hpp>

namespace agentd::detail {

/// What an agent's method reaches from inside a call: its node. One per running call, made by the
/// runtime; thread-safe, since a method may run on a worker.
class CallContext : public std::enable_shared_from_this<CallContext> {
public:
  virtual ~CallContext() = default;

  /// A nested call: it carries the path and the remaining time of this one.
  virtual Message call(const AgentAddress& agent, std::string_view method, const Message& input,
                       const CallOptions& options) = 0;
  virtual void progress(const Json& value) = 0;
  [[nodiscard]] virtual bool cancelled() const = 0;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point deadline() const = 0;
  [[nodiscard]] virtual CallId id() const = 0;

  /// The method is about to block until `cell` is readable, and has done so. The first throws where
  /// blocking is not allowed here (on an event loop) or would never end (a circle).
  virtual void begin_wait(Cell& cell) = 0;
  virtual void end_wait() = 0;
  /// The method's coroutine is about to be suspended until `cell` is readable.
  virtual void awaits(const Cell& cell) = 0;
  /// Resumes the method's coroutine on its loop, in this context.
  virtual void resume(std::coroutine_handle<> waiting) = 0;
  virtual void resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) = 0;
};

/// The context of the call whose method runs on this thread; null outside any.
[[nodiscard]] CallContext* current_context();

/// Makes `context` the current one of this thread for the scope's life.
class ContextScope {
public:
  explicit ContextScope(CallContext* context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

private:
  CallContext* previous_;
};

}  // namespace agentd::detail
