#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/async/loop.hpp"
#include "common/vocabulary/context.hpp"
#include "daemon/runtime/call.hpp"
#include "daemon/runtime/worker_pool.hpp"

namespace agentd::runtime {

class Runtime;

/// The way from a worker, or from a message's destructor anywhere, to a runtime that may have gone.
/// Shared by all who may outlive it. Thread-safe.
class RuntimeGate : public std::enable_shared_from_this<RuntimeGate> {
public:
  RuntimeGate(async::Loop& loop, Runtime& runtime, NodeAddress self, WorkerPool& workers)
      : loop_(&loop), runtime_(&runtime), self_(std::move(self)), workers_(&workers) {}

  /// Runs `work` on the loop: at once where this is the loop's thread, and not at all where the
  /// runtime has closed. False where it has closed already.
  bool enter(std::function<void(Runtime&)> work);
  /// As `enter`, but never at once.
  bool post(std::function<void(Runtime&)> work);
  /// The thread that runs the loop, from here on.
  void bind_to_this_thread() { loop_thread_ = std::this_thread::get_id(); }
  [[nodiscard]] const NodeAddress& self() const { return self_; }
  /// Whom an outcome of that agent's calls is asked of.
  [[nodiscard]] const NodeAddress& node_of(const AgentAddress& agent) const {
    return agent.node.host.empty() ? self_ : agent.node;
  }
  /// For a worker: it outlives the pool's threads, which is where these are called.
  [[nodiscard]] bool begin_wait() { return workers_->begin_wait(); }
  void end_wait() { workers_->end_wait(); }
  [[nodiscard]] bool on_loop() const { return loop_thread_.load() == std::this_thread::get_id(); }
  /// After this nothing enters any more.
  void close();

private:
  std::mutex mutex_;
  async::Loop* loop_;
  Runtime* runtime_;
  NodeAddress self_;
  WorkerPool* workers_;
  std::atomic<std::thread::id> loop_thread_{};
};

/// A message for a call that this node's agents, or this program, make: released and cancelled
/// through the gate. Without a port, `node` cannot be asked by others.
[[nodiscard]] Message make_nested_message(const std::shared_ptr<RuntimeGate>& gate, const NodeAddress& node,
                                          const CallId& call);

/// The frame of the coroutine that runs one method, suspended before its first step. Destroyed with
/// its owner, wherever it stands then.
class MethodFrame {
public:
  struct promise_type {
    MethodFrame get_return_object() {
      return MethodFrame(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    /// The method's own exceptions are its outcome; nothing else is thrown there.
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };

  MethodFrame() = default;
  MethodFrame(MethodFrame&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  MethodFrame& operator=(MethodFrame&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~MethodFrame() {
    if (handle_) handle_.destroy();
  }
  [[nodiscard]] std::coroutine_handle<> handle() const { return handle_; }
  void drop_if_done() {
    if (handle_ && handle_.done()) std::exchange(handle_, {}).destroy();
  }

private:
  explicit MethodFrame(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// The context of one running call: what its method reaches, from a worker or from the loop.
class RunContext : public detail::CallContext {
public:
  RunContext(std::shared_ptr<RuntimeGate> gate, const Call& call);

  Message call(const AgentAddress& agent, std::string_view method, const Message& input,
               const CallOptions& options) override;
  void progress(const Json& value) override;
  [[nodiscard]] bool cancelled() const override { return cancelled_; }
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override { return deadline_; }
  [[nodiscard]] CallId id() const override { return id_; }
  void begin_wait(detail::Cell& cell) override;
  void end_wait() override;
  void awaits(const detail::Cell& cell) override;
  void resume(std::coroutine_handle<> waiting) override;
  void resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) override;

  /// Nobody waits for the call any more: whatever its method waits for ends now. Loop thread.
  void cancel();
  /// The node goes: drops the method's coroutine where it stands. Loop thread.
  void abandon();
  /// The node goes: a worker that waits for a message, or would, gets `shutting_down` instead.
  void release_worker();

  /// The method answered with a message that has not settled. Loop thread.
  void returns(const Message& message);
  [[nodiscard]] const Message& returned() const { return returned_; }

  /// Takes over the coroutine that runs the method on the loop, and starts it.
  void drive(MethodFrame frame);

private:
  struct Nap : async::Timer {
    RunContext* context = nullptr;
    std::coroutine_handle<> waiting;
    /// Keeps the context while the nap lasts.
    std::shared_ptr<detail::CallContext> keep;
  };
  void wake(Nap& nap);
  /// Loop thread.
  void go_on(std::coroutine_handle<> waiting);

  /// Gone once its method has ended: what settles a message on another thread may hold this context last,
  /// and the frame keeps what is counted on the loop only.
  MethodFrame frame_;

  std::shared_ptr<RuntimeGate> gate_;
  CallId id_;
  std::string agent_;
  /// The agents that the call came through, without the one that runs.
  std::vector<std::string> path_;
  std::chrono::steady_clock::time_point deadline_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<Nap> nap_;
  Message returned_;
  /// Guards what is below.
  std::mutex nested_mutex_;
  bool released_ = false;
  /// How many waits of the method's thread are within one another: to the workers they are one.
  unsigned wait_depth_ = 0;
  std::weak_ptr<detail::Cell> waits_for_;
  std::size_t sweep_nested_at_ = 64;
  /// Nested calls that have not settled, to be cancelled with this one.
  std::vector<std::weak_ptr<detail::Cell>> nested_;
};

}  // namespace agentd::runtime
