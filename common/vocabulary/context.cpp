#include "common/vocabulary/context.hpp"

#include <agentd/agent.hpp>

namespace agentd {
namespace detail {
namespace {

CallContext*& context_of_thread() {
  thread_local CallContext* context = nullptr;
  return context;
}

}  // namespace

CallContext* current_context() { return context_of_thread(); }

ContextScope::ContextScope(CallContext* context) : previous_(context_of_thread()) {
  context_of_thread() = context;
}

ContextScope::~ContextScope() { context_of_thread() = previous_; }

}  // namespace detail

namespace this_call {

void progress(const Json& value) {
  if (auto* context = detail::current_context()) context->progress(value);
}

bool cancelled() {
  auto* context = detail::current_context();
  return context != nullptr && context->cancelled();
}

std::chrono::steady_clock::time_point deadline() {
  auto* context = detail::current_context();
  return context ? context->deadline() : std::chrono::steady_clock::time_point::max();
}

CallId id() {
  auto* context = detail::current_context();
  return context ? context->id() : CallId{};
}

void Sleep::await_suspend(std::coroutine_handle<> waiting) const {
  auto* context = detail::current_context();
  if (!context) throw std::logic_error("this_call::sleep works only inside an agent's method");
  context->resume_after(duration, waiting);
}

void Sleep::await_resume() const {
  if (cancelled()) throw Error(ErrorKind::cancelled, "the call was given up while its method slept");
}

}  // namespace this_call
}  // namespace agentd
