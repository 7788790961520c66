#include "daemon/runtime/run_context.hpp"

#include <algorithm>
#include <utility>

#include "daemon/runtime/hosted_agent.hpp"
#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {
namespace {

/// As much as an outcome may have, so that it fits into a frame.
constexpr std::size_t largest_progress = 1U << 20;

Error node_gone() { return {ErrorKind::shutting_down, "this node has shut down"}; }

/// Where the outcome of a call that an agent made comes from.
class NestedSource : public detail::CellSource {
public:
  NestedSource(std::shared_ptr<RuntimeGate> gate, Placeholder placeholder)
      : gate_(std::move(gate)), placeholder_(std::move(placeholder)) {}

  ~NestedSource() override {
    gate_->post([placeholder = placeholder_](Runtime& runtime) { runtime.release_nested(placeholder); });
  }

  [[nodiscard]] std::optional<Placeholder> placeholder() const override {
    if (placeholder_.node.port == 0) return std::nullopt;
    return placeholder_;
  }

  void cancel(const std::shared_ptr<detail::Cell>&) override {
    gate_->enter([placeholder = placeholder_](Runtime& runtime) { runtime.cancel_nested(placeholder); });
  }

  [[nodiscard]] const CallId& call() const { return placeholder_.call; }

private:
  std::shared_ptr<RuntimeGate> gate_;
  Placeholder placeholder_;
};

CallId awaited_call(const detail::Cell& cell) {
  const auto* nested = dynamic_cast<const NestedSource*>(cell.source());
  return nested ? nested->call() : CallId{};
}

}  // namespace

bool RuntimeGate::enter(std::function<void(Runtime&)> work) {
  if (!on_loop()) return post(std::move(work));
  if (!runtime_) return false;
  work(*runtime_);
  return true;
}

bool RuntimeGate::post(std::function<void(Runtime&)> work) {
  const std::lock_guard lock(mutex_);
  if (!runtime_) return false;
  loop_->post([gate = shared_from_this(), work = std::move(work)] {
    if (gate->runtime_) work(*gate->runtime_);
  });
  return true;
}

void RuntimeGate::close() {
  const std::lock_guard lock(mutex_);
  runtime_ = nullptr;
}

RunContext::RunContext(std::shared_ptr<RuntimeGate> gate, const Call& call)
    : gate_(std::move(gate)),
      id_(call.id),
      agent_(call.agent->id),
      path_(call.path),
      deadline_(call.deadline) {}

Message make_nested_message(const std::shared_ptr<RuntimeGate>& gate, const NodeAddress& node,
                            const CallId& call) {
  return Message(detail::Cell::make(std::make_unique<NestedSource>(gate, Placeholder{node, call})));
}

Message RunContext::call(const AgentAddress& agent, std::string_view method, const Message& input,
                         const CallOptions& options) {
  Runtime::NestedCall nested;
  nested.agent = agent;
  nested.method = method;
  nested.input = input;
  nested.call = CallId::mint_at(home_of(agent.agent));
  nested.caller = AgentAddress{gate_->self(), agent_}.text();
  nested.path = path_;
  nested.path.push_back(nested.caller);
  nested.deadline = deadline_;
  const auto now = std::chrono::steady_clock::now();
  // Compared as milliseconds: the longest that can be said would overflow anything finer.
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - now);
  if (options.deadline && *options.deadline < left) nested.deadline = now + *options.deadline;
  Message outcome = make_nested_message(gate_, gate_->node_of(agent), nested.call);
  nested.cell = outcome.cell();
  {
    const std::lock_guard lock(nested_mutex_);
    if (nested_.size() >= sweep_nested_at_) {
      std::erase_if(nested_, [](const auto& cell) {
        const auto alive = cell.lock();
        return !alive || alive->settled();
      });
      // Not at each call: a method may fan out to very many.
      sweep_nested_at_ = 2 * nested_.size() + 64;
    }
    nested_.push_back(nested.cell);
  }
  if (!gate_->enter([nested](Runtime& runtime) { runtime.call_nested(nested); }))
    nested.cell->fail(node_gone());
  return outcome;
}

void RunContext::progress(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > largest_progress) {
    throw Error(ErrorKind::invalid_params, "progress of " + std::to_string(text.size()) +
                                               " bytes; it may have " + std::to_string(largest_progress));
  }
  gate_->enter([id = id_, text = std::move(text)](Runtime& runtime) { runtime.report_progress(id, text); });
}

void RunContext::begin_wait(detail::Cell& cell) {
  if (gate_->on_loop()) {
    throw std::logic_error(
        "reading a message that has not settled would block the node's event loop: co_await it first");
  }
  if (wait_depth_ == 0 && !gate_->begin_wait()) {
    throw Error(ErrorKind::overloaded, "too many workers wait for messages at once")
        .with("limit", "blocked_workers");
  }
  ++wait_depth_;
  {
    const std::lock_guard lock(nested_mutex_);
    if (!released_) {
      waits_for_ = cell.weak_from_this();
    } else {
      if (--wait_depth_ == 0) gate_->end_wait();
      throw node_gone();
    }
  }
  awaits(cell);
}

void RunContext::end_wait() {
  if (--wait_depth_ == 0) gate_->end_wait();
  const std::lock_guard lock(nested_mutex_);
  waits_for_.reset();
}

void RunContext::release_worker() {
  std::shared_ptr<detail::Cell> cell;
  {
    const std::lock_guard lock(nested_mutex_);
    released_ = true;
    cell = waits_for_.lock();
  }
  if (cell && !cell->fail(node_gone())) cell->supply_failure(node_gone());
}

void RunContext::returns(const Message& message) {
  returned_ = message;
  awaits(*message.cell());
}

void RunContext::awaits(const detail::Cell& cell) {
  const CallId awaited = awaited_call(cell);
  if (awaited.empty()) return;
  gate_->enter([id = id_, awaited](Runtime& runtime) { runtime.note_wait(id, awaited); });
}

void RunContext::resume(std::coroutine_handle<> waiting) {
  gate_->post([keep = shared_from_this(), this, waiting](Runtime&) { go_on(waiting); });
}

void RunContext::resume_after(std::chrono::nanoseconds delay, std::coroutine_handle<> waiting) {
  nap_ = std::make_unique<Nap>();
  nap_->context = this;
  nap_->waiting = waiting;
  nap_->keep = shared_from_this();
  gate_->enter([this, delay](Runtime& runtime) {
    runtime.loop().start(*nap_, std::chrono::steady_clock::now() + delay, [](async::Timer& timer) {
      auto& nap = static_cast<Nap&>(timer);
      nap.context->wake(nap);
    });
  });
}

void RunContext::wake(Nap& nap) {
  const auto keep = std::move(nap.keep);
  const auto waiting = nap.waiting;
  nap_.reset();
  go_on(waiting);
}

void RunContext::go_on(std::coroutine_handle<> waiting) {
  const detail::ContextScope scope(this);
  waiting.resume();
  frame_.drop_if_done();
}

void RunContext::cancel() {
  cancelled_ = true;
  std::vector<std::weak_ptr<detail::Cell>> nested;
  {
    const std::lock_guard lock(nested_mutex_);
    nested.swap(nested_);
  }
  for (const auto& weak : nested) {
    if (const auto cell = weak.lock()) Message(cell).cancel();
  }
  // A nap ends now, but not inside this call: the method may do anything when it wakes.
  if (nap_) {
    gate_->post([keep = shared_from_this(), this](Runtime&) {
      if (nap_) wake(*nap_);
    });
  }
}

void RunContext::drive(MethodFrame frame) {
  frame_ = std::move(frame);
  go_on(frame_.handle());
}

void RunContext::abandon() {
  nap_.reset();
  frame_ = {};
  returned_ = {};
}

}  // namespace agentd::runtime
