#pragma once

#include <unordered_map>

#include <agentd/message.hpp>

#include "common/async/loop.hpp"
#include "daemon/runtime/foreign.hpp"
#include "sdk/src/session.hpp"

namespace agentd::sdk {

/// The other nodes, as this program's local agents see them: through the program's session.
/// Belongs to the local agents' loop, and hands over to the session's and back.
class SessionNodes final : public runtime::ForeignNodes {
public:
  /// `loop` is the local agents'.
  SessionNodes(Session& session, async::Loop& loop) : session_(session), loop_(loop) {}

  Interest watch(const Placeholder& placeholder, std::chrono::steady_clock::time_point deadline,
                 OnOutcome on_outcome) override;
  void call(runtime::ForeignCall call, OnOutcome on_outcome, OnProgress on_progress) override;
  void cancel(const Placeholder& placeholder) override;
  void release(const Placeholder& placeholder) override;

private:
  Session& session_;
  async::Loop& loop_;
  /// Calls that local agents made: what they are released by.
  std::unordered_map<CallId, Message> calls_;
};

}  // namespace agentd::sdk
