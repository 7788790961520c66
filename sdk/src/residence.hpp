#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <agentd/agent.hpp>
#include <agentd/agent_ref.hpp>

#include "common/protocol/result.hpp"

namespace agentd::sdk {

/// Where a local agent is: here, about to leave, or moved.
///
/// It leaves between two of its calls, at one whose input is its `ticket`. The calls after that one wait
/// until it is known where the agent went, and go there, in the order of their turn. So what others have
/// called meanwhile is neither lost nor runs twice. Thread-safe.
class Residence {
public:
  /// The agent is to leave; the input of the call at which it does.
  [[nodiscard]] Message ticket();
  /// Whether that input was the ticket. Then `body` has been saved, and is not called any more, unless
  /// the agent stays after all. Throws where `save` does, and the agent stays.
  bool leaves_with(const Message& input, const Agent* body);
  /// What the agent took along. @pre it has left
  [[nodiscard]] const Json& state() const { return state_; }
  /// It is there now; or it stays, whether it has left or not.
  void moved(AgentRef there);
  void stays();

  /// Whether a call is the agent's own, with nothing else to look at.
  [[nodiscard]] bool is_here() const { return here_; }
  /// Settles when it is known where the agent is; no input where it is known.
  [[nodiscard]] Message arrival() const;
  /// Where it has been moved; a default-constructed reference for here.
  [[nodiscard]] AgentRef there() const;

private:
  std::atomic<bool> here_{true};
  mutable std::mutex mutex_;
  std::string ticket_;
  Json state_;
  Message arrival_;
  AgentRef there_;
};

/// A local agent's body as its runtime has it: the instance while it is here, and then the way to where
/// it is. As every body, it is used by one call or step at a time.
class Resident final : public Agent {
public:
  explicit Resident(std::unique_ptr<Agent> body) : body_(std::move(body)) {}

  /// The type with residents for bodies.
  [[nodiscard]] static AgentType type(AgentType type);
  /// Before the first call.
  void lives_at(std::shared_ptr<Residence> residence) { residence_ = std::move(residence); }
  /// The instance is needed no more. @pre the agent is idle
  void forget_body() { body_.reset(); }

  [[nodiscard]] Json save() const override;
  void restore(const Json& state) override { body_->restore(state); }

private:
  Message run(const std::string& name, const AgentType::Method& method, const Message& input);
  Task<Message> run_async(const std::string& name, const AgentType::AsyncMethod& method, Message input);
  Task<Message> run_elsewhere(const std::string& name, const AgentType::AsyncMethod& method, Message input);
  Message forward(const std::string& name, const Message& input);

  std::unique_ptr<Agent> body_;
  std::shared_ptr<Residence> residence_;
};

}  // namespace agentd::sdk
