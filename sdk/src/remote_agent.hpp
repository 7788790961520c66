#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/vocabulary/target.hpp"
#include "sdk/src/remote_call.hpp"

namespace agentd::sdk {

/// An agent on a node, as this program calls it, with the lanes of calls that cannot leave yet.
///
/// A call is held back while part of its input has a value that only this program can bring, and so
/// are the later calls of the same caller, so that they leave in the order made. What `Target` offers
/// is thread-safe; the rest belongs to the session's loop.
class RemoteAgent final : public detail::Target {
public:
  RemoteAgent(Session& session, SessionNode& node, AgentAddress address);
  ~RemoteAgent() override;

  [[nodiscard]] const AgentAddress& address() const override { return address_; }
  Message call(std::string_view method, const Message& input, const CallOptions& options) override;
  /// By the agent's address, as the context takes it; but at that of a node that has ended is another one.
  Message call_from(detail::CallContext& context, std::string_view method, const Message& input,
                    const CallOptions& options) override;
  /// A copy over there: takes its place among the calls made before it.
  AgentRef clone() override;
  AgentRef to_dist(const DistOptions& options) override;

  /// A call with all that a nested one brings; an empty `caller` is the program itself.
  Message make_call(const CallId& id, const Message& input, RemoteCall::Plan plan);
  [[nodiscard]] SessionNode& node() const { return node_; }
  /// Null where its last holder is just letting it go.
  [[nodiscard]] std::shared_ptr<RemoteAgent> self();

  // On the loop.
  void submit(RemoteCall& call);
  void pump(const std::string& caller);

private:
  /// What waits in a lane: a call, or the sending of something else in its place.
  struct Step {
    std::shared_ptr<detail::Cell> cell;
    RemoteCall* call = nullptr;
    std::function<void()> act;
  };
  using Lane = std::deque<Step>;

  void write_params(RemoteCall::Plan& plan, const CallId& id, const Message& input) const;
  [[nodiscard]] bool sendable(RemoteCall& call);
  void send(RemoteCall& call);
  void watch_inputs(RemoteCall& call);
  void look_at_inputs(RemoteCall& call);
  void in_lane(std::function<void()> act);
  void ask_for_clone(const std::string& as, std::function<void(Result<std::string>)> done);

  Session& session_;
  const AgentAddress address_;
  /// Of the agent, and so of the calls to it.
  const Home home_;
  SessionNode& node_;
  /// By caller; a lane is there while something is in it.
  std::unordered_map<std::string, Lane> lanes_;
};

}  // namespace agentd::sdk
