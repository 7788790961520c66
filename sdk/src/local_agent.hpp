#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <agentd/agent.hpp>

#include "common/vocabulary/target.hpp"
#include "daemon/runtime/runtime.hpp"
#include "sdk/src/local_host.hpp"

namespace agentd::sdk {

/// An agent of this program: made at its first use, moved by `to_dist`. Thread-safe.
class LocalAgent final : public detail::Target {
public:
  LocalAgent(LocalHost& host, const AgentType& type, bool registered, Json args);
  ~LocalAgent() override;

  /// Whoever asks may keep it as text, so the agent stays from then on.
  [[nodiscard]] const AgentAddress& address() const override;
  /// The instance is made here: the caller goes to the runtime by itself.
  [[nodiscard]] const AgentAddress& address_to_call() override;
  Message call(std::string_view method, const Message& input, const CallOptions& options) override;
  AgentRef clone() override;
  AgentRef to_dist(const DistOptions& options) override;

  [[nodiscard]] const std::string& own_id() const { return address_.agent; }

private:
  [[nodiscard]] std::shared_ptr<LocalAgent> self();
  [[nodiscard]] std::shared_ptr<detail::Target> moved_to() const;
  void make_sure_it_is_made();
  void made(const Result<runtime::AgentPtr>& result);
  Message send(std::string_view method, const Message& input, const CallOptions& options);
  [[nodiscard]] Json state_when_quiet();
  [[nodiscard]] AgentAddress place(const DistOptions& options) const;
  void check_can_move(const DistOptions& options) const;

  LocalHost& host_;
  const AgentType& type_;
  const bool registered_;
  const Json args_;
  const AgentAddress address_;

  mutable std::mutex mutex_;
  std::condition_variable settled_;
  bool in_use_ = false;
  std::size_t unsettled_ = 0;
  std::optional<Error> refusal_;
  std::shared_ptr<detail::Target> moved_;
  /// Itself, once its address is known elsewhere.
  mutable std::shared_ptr<const LocalAgent> stays_;
};

}  // namespace agentd::sdk
