#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <agentd/agent.hpp>

#include "common/vocabulary/target.hpp"
#include "daemon/runtime/runtime.hpp"
#include "sdk/src/local_host.hpp"
#include "sdk/src/residence.hpp"

namespace agentd::sdk {

/// An agent of this program: made at its first use, moved by `to_dist`. Thread-safe.
class LocalAgent final : public detail::Target {
public:
  LocalAgent(LocalHost& host, const AgentType& type, bool registered, Json args);
  ~LocalAgent() override;

  /// Whoever asks may keep it as text, so the agent stays from then on.
  [[nodiscard]] const AgentAddress& address() const override;
  [[nodiscard]] AgentAddress whereabouts() const override;
  Message call(std::string_view method, const Message& input, const CallOptions& options) override;
  Message call_from(detail::CallContext& context, std::string_view method, const Message& input,
                    const CallOptions& options) override;
  AgentRef clone() override;
  AgentRef to_dist(const DistOptions& options) override;

  [[nodiscard]] const std::string& own_id() const { return address_.agent; }
  /// Why it could not be made.
  [[nodiscard]] std::optional<Error> refusal() const;

private:
  [[nodiscard]] std::shared_ptr<LocalAgent> self();
  [[nodiscard]] std::shared_ptr<detail::Target> moved_to() const;
  [[nodiscard]] bool is_fresh() const;
  void make_sure_it_is_made();
  void make(runtime::Runtime& runtime);
  void made(const Result<runtime::AgentPtr>& result);
  /// Where a call goes that is made now: null for here, where it is counted until it has left.
  [[nodiscard]] std::shared_ptr<detail::Target> enter();
  void leave();
  void leave_when_settled(const Message& outcome);
  Message send(std::string_view method, const Message& input, const CallOptions& options);

  void check_can_move(const DistOptions& options) const;
  [[nodiscard]] bool waits_for(const CallId& call) const;
  /// Throws `Error` where they refer to an agent that only this process reaches.
  [[nodiscard]] Json args_elsewhere() const;
  [[nodiscard]] NodeAddress place(const DistOptions& options) const;
  [[nodiscard]] AgentRef make_there(const NodeAddress& node, const std::string& id, const Json& state) const;
  [[nodiscard]] AgentRef go_to(const NodeAddress& node, const std::string& id);
  [[nodiscard]] bool settle_there_unused(const AgentRef& there);
  [[nodiscard]] AgentRef take_along(const NodeAddress& node, const std::string& id);

  LocalHost& host_;
  const AgentType& type_;
  const bool registered_;
  const Json args_;
  const AgentAddress address_;

  const std::shared_ptr<Residence> residence_ = std::make_shared<Residence>();

  /// One move at a time.
  std::mutex move_mutex_;
  mutable std::mutex mutex_;
  bool in_use_ = false;
  /// To the runtime. Its loop's thread only.
  bool known_ = false;
  /// Calls that went to the instance here and have not settled. While there is one, later calls go the
  /// same way, wherever the agent is: they must not overtake it.
  std::size_t unsettled_ = 0;
  std::optional<Error> refusal_;
  std::shared_ptr<detail::Target> moved_;
  /// Itself, once its address is known elsewhere.
  mutable std::shared_ptr<const LocalAgent> stays_;
};

}  // namespace agentd::sdk
