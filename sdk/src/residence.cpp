#include "sdk/src/residence.hpp"

#include <stdexcept>
#include <utility>
#include <variant>

#include "common/vocabulary/cell.hpp"
#include "common/vocabulary/context.hpp"
#include "daemon/runtime/hosted_agent.hpp"

namespace agentd::sdk {
namespace {

Task<Message> run_now(const AgentType::Method& method, Agent& self, Message input) {
  co_return method(self, input);
}

/// A method that may not wait, as one that may.
AgentType::AsyncMethod as_coroutine(AgentType::Method method) {
  return [method = std::move(method)](Agent& self, Message input) {
    return run_now(method, self, std::move(input));
  };
}

}  // namespace

Message Residence::ticket() {
  const std::lock_guard lock(mutex_);
  ticket_ = "move-" + random_suffix(20);
  here_ = false;
  return MessageFields{.id = ticket_};
}

bool Residence::leaves_with(const Message& input, const Agent* body) {
  {
    const std::lock_guard lock(mutex_);
    if (ticket_.empty() || input.id() != ticket_) return false;
  }
  auto state = runtime::saved_state(*body);
  if (!state) throw Error(state.error());
  const std::lock_guard lock(mutex_);
  // Perhaps nobody waits for it any more.
  if (input.id() != ticket_) return true;
  state_ = std::move(*state);
  arrival_ = Message(detail::Cell::make());
  return true;
}

void Residence::moved(AgentRef there) {
  {
    const std::lock_guard lock(mutex_);
    ticket_.clear();
    there_ = std::move(there);
  }
  arrival_.cell()->settle({});
}

void Residence::stays() {
  Message arrival;
  {
    const std::lock_guard lock(mutex_);
    ticket_.clear();
    here_ = true;
    arrival = std::exchange(arrival_, {});
  }
  if (!arrival.empty()) arrival.cell()->settle({});
}

Message Residence::arrival() const {
  const std::lock_guard lock(mutex_);
  return arrival_;
}

AgentRef Residence::there() const {
  const std::lock_guard lock(mutex_);
  return there_;
}

AgentType Resident::type(AgentType type) {
  type.make = [make = std::move(type.make)](const Json& args) -> std::unique_ptr<Agent> {
    auto body = make(args);
    return body ? std::make_unique<Resident>(std::move(body)) : nullptr;
  };
  for (auto& entry : type.methods) {
    const std::string& name = entry.first;
    auto& method = entry.second;
    auto* waits_for_none = std::get_if<AgentType::Method>(&method);
    if (waits_for_none && type.execution == Execution::loop)
      method = as_coroutine(std::move(*waits_for_none));
    if (auto* coroutine = std::get_if<AgentType::AsyncMethod>(&method)) {
      method = AgentType::AsyncMethod([name, own = std::move(*coroutine)](Agent& self, Message input) {
        return static_cast<Resident&>(self).run_async(name, own, std::move(input));
      });
    } else {
      method = AgentType::Method(
          [name, own = std::get<AgentType::Method>(std::move(method))](Agent& self, const Message& input) {
            return static_cast<Resident&>(self).run(name, own, input);
          });
    }
  }
  return type;
}

Json Resident::save() const {
  if (residence_->there()) throw std::logic_error("the agent has been moved meanwhile");
  return body_->save();
}

Message Resident::run(const std::string& name, const AgentType::Method& method, const Message& input) {
  if (residence_->is_here()) return method(*body_, input);
  if (residence_->leaves_with(input, body_.get())) return {};
  (void)residence_->arrival().content();
  return residence_->there() ? forward(name, input) : method(*body_, input);
}

Task<Message> Resident::run_async(const std::string& name, const AgentType::AsyncMethod& method,
                                  Message input) {
  if (residence_->is_here()) return method(*body_, std::move(input));
  return run_elsewhere(name, method, std::move(input));
}

Task<Message> Resident::run_elsewhere(const std::string& name, const AgentType::AsyncMethod& method,
                                      Message input) {
  if (residence_->leaves_with(input, body_.get())) co_return Message();
  (void)co_await residence_->arrival();
  if (residence_->there()) co_return forward(name, input);
  co_return co_await method(*body_, std::move(input));
}

/// The same call where the agent is now; the one here settles with it.
Message Resident::forward(const std::string& name, const Message& input) {
  body_.reset();
  Message answer = residence_->there().call(name, input);
  answer.on_progress(
      [here = detail::current_context()->shared_from_this()](const Json& piece) { here->progress(piece); });
  return answer;
}

}  // namespace agentd::sdk
