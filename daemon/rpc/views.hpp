#pragma once

#include <string>

#include "daemon/runtime/call.hpp"
#include "daemon/runtime/hosted_agent.hpp"
#include "daemon/runtime/runtime.hpp"

/// Agents and calls as the wire shows them. Each appends JSON text.
namespace agentd::rpc {

/// `"placeholder":{…}`'s value, for a call of this node.
void append_placeholder_of(std::string& out, const runtime::Runtime& runtime, const CallId& call);

/// The params of `call.settled`: `{call, state, value?|error?}`.
void append_settled_params(std::string& out, const runtime::Call& call, protocol::SettledMode mode);
/// The params of `call.settled` for a call that was never accepted here.
void append_refused_params(std::string& out, const CallId& call, const Error& error);

/// What `agent.call` answers: `{call, state, placeholder, value?}`.
[[nodiscard]] std::string call_answer(const runtime::Runtime& runtime, const runtime::Call& call,
                                      bool with_value);
/// What `call.get` answers.
[[nodiscard]] std::string call_details(const runtime::Runtime& runtime, const runtime::Call& call);
/// An entry of `call.list`.
void append_call_entry(std::string& out, const runtime::Call& call);

/// What `agent.create` answers: `{agent, type, name, host, port}`.
[[nodiscard]] std::string agent_answer(const runtime::Runtime& runtime, const runtime::HostedAgent& agent);
/// What `agent.get` answers; `state` is JSON text, `busy` says that it could not be had in time.
[[nodiscard]] std::string agent_details(const runtime::HostedAgent& agent, std::string_view state, bool busy);
/// An entry of `agent.list`.
void append_agent_entry(std::string& out, const runtime::HostedAgent& agent);

}  // namespace agentd::rpc
