#include "sdk/src/outside_context.hpp"

#include <stdexcept>
#include <utility>

#include "sdk/src/remote_agent.hpp"
#include "sdk/src/session.hpp"

namespace agentd::sdk {
namespace {

LocalTargets& local_targets() {
  static LocalTargets& installed = *new LocalTargets;
  return installed;
}

/// An agent reference that a program reads becomes one of its proxies.
[[maybe_unused]] const bool resolver_installed = [] {
  detail::set_target_resolver([](const AgentAddress& address) -> std::shared_ptr<detail::Target> {
    if (!address.node.host.empty()) return Session::instance().agent(address);
    return local_targets() ? local_targets()(address.agent) : nullptr;
  });
  return true;
}();

/// Owns itself until it is due.
struct DelayedResume : async::Timer {
  std::coroutine_handle<> waiting;
  std::shared_ptr<detail::CallContext> context;
};

void resume_here(detail::CallContext& context, std::coroutine_handle<> waiting) {
  const detail::ContextScope scope(&context);
  waiting.resume();
}

}  // namespace

void set_local_targets(LocalTargets find) { local_targets() = std::move(find); }

std::shared_ptr<detail::Target> target_at(const AgentAddress& address) {
  if (!address.node.host.empty()) return Session::instance().agent(address);
  if (local_targets()) {
    if (auto target = local_targets()(address.agent)) return target;
  }
  throw Error(ErrorKind::agent_not_found, "this program has no local agent " + address.agent)
      .at_agent(address.agent);
}

Message OutsideContext::call(const AgentAddress& agent, std::string_view method, const Message& input,
                             const CallOptions& options) {
  return target_at(agent)->call(method, input, options);
}

BlockingScope::BlockingScope() : context_(detail::current_context()) {
  if (context_) context_->begin_wait(*detail::Cell::make());
}

BlockingScope::~BlockingScope() {
  if (context_) context_->end_wait();
}

void LoopContext::begin_wait(detail::Cell&) {
  throw std::logic_error(
      "this callback waits for what is not there yet; it runs on the thread that would bring it, so it "
      "may only use then, co_await outside sync_wait, or what is ready");
}

void LoopContext::resume(std::coroutine_handle<> waiting) {
  loop_.post([self = shared_from_this(), waiting] { resume_here(*self, waiting); });
}

void LoopContext::resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) {
  auto owned = std::make_unique<DelayedResume>();
  owned->waiting = waiting;
  owned->context = shared_from_this();
  loop_.post([this, raw = owned.release(), when = async::Loop::Clock::now() + delay] {
    loop_.start(*raw, when, [](async::Timer& timer) {
      const std::unique_ptr<DelayedResume> due(&static_cast<DelayedResume&>(timer));
      resume_here(*due->context, due->waiting);
    });
  });
}

void SyncContext::run_until(const bool& done) {
  while (!done) {
    std::coroutine_handle<> next;
    {
      std::unique_lock lock(mutex_);
      while (!next) {
        if (waiting_.empty()) {
          due_.wait(lock);
        } else if (waiting_.begin()->first > Clock::now()) {
          due_.wait_until(lock, waiting_.begin()->first);
        } else {
          next = waiting_.begin()->second;
          waiting_.erase(waiting_.begin());
        }
      }
    }
    if (std::exchange(suspended_, false)) end_wait();
    next.resume();
  }
}

void SyncContext::begin_wait(detail::Cell& cell) {
  if (outer_) outer_->begin_wait(cell);
}

void SyncContext::end_wait() {
  if (outer_) outer_->end_wait();
}

/// Throws into the coroutine where the thread may not block.
void SyncContext::suspends(detail::Cell& cell) {
  begin_wait(cell);
  suspended_ = true;
}

void SyncContext::awaits(const detail::Cell& cell) {
  // The reader of a message may change its cell: it has it fetched, for one.
  suspends(const_cast<detail::Cell&>(cell));
}

Message SyncContext::call(const AgentAddress& agent, std::string_view method, const Message& input,
                          const CallOptions& options) {
  return outer_ ? outer_->call(agent, method, input, options)
                : OutsideContext::call(agent, method, input, options);
}

void SyncContext::progress(const Json& value) {
  if (outer_) outer_->progress(value);
}

bool SyncContext::cancelled() const { return outer_ && outer_->cancelled(); }

std::chrono::steady_clock::time_point SyncContext::deadline() const {
  return outer_ ? outer_->deadline() : OutsideContext::deadline();
}

CallId SyncContext::id() const { return outer_ ? outer_->id() : CallId{}; }

void SyncContext::resume(std::coroutine_handle<> waiting) { resume_at(Clock::now(), waiting); }

void SyncContext::resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) {
  suspends(*detail::Cell::make());
  resume_at(Clock::now() + delay, waiting);
}

void SyncContext::resume_at(Clock::time_point when, std::coroutine_handle<> waiting) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(when, waiting);
  due_.notify_one();
}

}  // namespace agentd::sdk
