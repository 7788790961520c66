#include "sdk/src/session_nodes.hpp"

#include <utility>

#include "sdk/src/remote_agent.hpp"
#include "sdk/src/remote_call.hpp"

namespace agentd::sdk {
namespace {

using runtime::Outcome;

Outcome outcome_of(detail::Cell& cell) {
  if (const Error* error = cell.error()) return *error;
  return cell.read();
}

/// Callers are known to nodes, so the name of a local agent has to be this program's own.
std::string caller_of(const Session& session, const std::string& local_caller) {
  const auto agent = local_caller.find('/');
  return session.caller() + (agent == std::string::npos ? "/" + local_caller : local_caller.substr(agent));
}

}  // namespace

runtime::ForeignNodes::Interest SessionNodes::watch(const Placeholder& placeholder,
                                                    std::chrono::steady_clock::time_point deadline,
                                                    OnOutcome on_outcome) {
  const auto told = [this, on_outcome = std::move(on_outcome)](const Outcome& outcome) {
    loop_.post([on_outcome, outcome] { on_outcome(outcome); });
  };
  session_.post([this, placeholder, deadline, told] {
    SessionNode& node = session_.node(placeholder.node);
    session_.link(node).subscribe(
        placeholder.call, deadline,
        [this, &node, call = placeholder.call, deadline, told](const net::Settled& settled) {
          if (settled.elsewhere) return ask_for_outcome(session_, node, call, deadline, told);
          told(settled.outcome);
        },
        nullptr);
  });
  return nullptr;
}

void SessionNodes::call(runtime::ForeignCall call, OnOutcome on_outcome, OnProgress on_progress) {
  RemoteCall::Plan plan;
  plan.method = std::move(call.method);
  plan.deadline = call.deadline;
  plan.caller = caller_of(session_, call.caller);
  plan.path = std::move(call.path);
  plan.on_progress = [this, on_progress = std::move(on_progress)](std::string_view value) {
    loop_.post([on_progress, text = std::string(value)] { on_progress(text); });
  };
  const Message made = session_.agent(call.agent)->make_call(call.call, call.input, std::move(plan));
  calls_.emplace(call.call, made);
  // The message is kept until it is released, so the cell may be referred to as it is.
  detail::Cell& cell = *made.cell();
  cell.when_readable([this, &cell, on_outcome = std::move(on_outcome)] {
    loop_.post([on_outcome, outcome = outcome_of(cell)] { on_outcome(outcome); });
  });
}

void SessionNodes::cancel(const Placeholder& placeholder) {
  const auto made = calls_.find(placeholder.call);
  if (made != calls_.end()) made->second.cancel();
}

void SessionNodes::release(const Placeholder& placeholder) { calls_.erase(placeholder.call); }

}  // namespace agentd::sdk
