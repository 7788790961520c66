#include "sdk/src/local_host.hpp"

#include <algorithm>
#include <cstdlib>
#include <future>
#include <utility>

#include "common/vocabulary/ending.hpp"
#include "sdk/src/local_agent.hpp"
#include "sdk/src/outside_context.hpp"
#include "sdk/src/residence.hpp"

namespace agentd::sdk {
namespace {

/// For what runs when the program ends: enough for whoever is about to finish.
constexpr std::chrono::milliseconds exit_patience{100};

unsigned worker_count() { return 2 * std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace

LocalHost& LocalHost::instance() {
  static LocalHost& host = *new LocalHost;
  return host;
}

LocalHost::LocalHost() : nodes_(Session::instance(), loop_) {
  runtime::RuntimeSettings settings;
  settings.workers = worker_count();
  settings.why_missing = [this](std::string_view id) {
    const auto agent = find(std::string(id));
    return agent ? agent->refusal() : std::nullopt;
  };
  runtime_ = std::make_unique<runtime::Runtime>(loop_, types_, &nodes_, settings);
  gate_ = runtime_->gate();
  std::promise<void> bound;
  std::thread thread([this, &bound] {
    gate_->bind_to_this_thread();
    const auto context = std::make_shared<LoopContext>(loop_);
    const detail::ContextScope scope(context.get());
    bound.set_value();
    loop_.run();
  });
  thread.detach();
  bound.get_future().wait();
  set_local_targets([this](const std::string& id) -> std::shared_ptr<detail::Target> { return find(id); });
  std::atexit([] { LocalHost::instance().stop_at_exit(); });
}

void LocalHost::post(std::function<void(runtime::Runtime&)> work) { gate_->post(std::move(work)); }

void LocalHost::enter(std::function<void(runtime::Runtime&)> work) { gate_->enter(std::move(work)); }

void LocalHost::add(const std::shared_ptr<LocalAgent>& agent) {
  const std::lock_guard lock(mutex_);
  agents_[agent->own_id()] = agent;
}

void LocalHost::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  agents_.erase(id);
}

std::shared_ptr<LocalAgent> LocalHost::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = agents_.find(id);
  return found == agents_.end() ? nullptr : found->second.lock();
}

Result<std::string> LocalHost::know(const AgentType& type) {
  if (const auto known = type_names_.find(&type); known != type_names_.end()) return known->second;
  AgentType copy = Resident::type(type);
  while (types_.all().contains(copy.name)) copy.name += '_';
  const std::string name = copy.name;
  if (const auto added = types_.add(std::move(copy)); !added) return added.error();
  return type_names_.emplace(&type, name).first->second;
}

/// What still runs must not go on while the program's statics are destroyed around it.
void LocalHost::stop_at_exit() {
  if (on_loop()) return;
  auto stopped = std::make_shared<std::promise<void>>();
  auto future = stopped->get_future();
  detail::end_callbacks();
  loop_.post([this, stopped] {
    (void)runtime_->fail_unsettled();
    (void)runtime_->close(async::Loop::Clock::now() + exit_patience);
    stopped->set_value();
  });
  future.wait_for(2 * exit_patience);
}

}  // namespace agentd::sdk
