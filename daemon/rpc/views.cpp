#include "daemon/rpc/views.hpp"

#include "common/json/append.hpp"
#include "common/json/text.hpp"
#include "common/protocol/envelope.hpp"
#include "common/protocol/values.hpp"

namespace agentd::rpc {
namespace {

using runtime::Call;
using runtime::CallState;
using runtime::HostedAgent;

/// Above this a value is left out of `call.settled` where the caller said `auto`.
constexpr std::size_t sent_unasked = 8U << 10;

void append_member(std::string& out, std::string_view key, std::string_view text) {
  out += out.ends_with('{') ? "\"" : ",\"";
  out += key;
  out += "\":";
  json::append_string(out, text);
}

void append_raw(std::string& out, std::string_view key, std::string_view value) {
  out += out.ends_with('{') ? "\"" : ",\"";
  out += key;
  out += "\":";
  out += value;
}

void append_time(std::string& out, std::string_view key, Call::WallClock::time_point time) {
  append_raw(out, key, "");
  if (time == Call::WallClock::time_point{}) {
    out += "null";
    return;
  }
  out += '"';
  protocol::append_timestamp(out, time);
  out += '"';
}

/// What `Call::message` is, on the wire, without making one: this is done for every call.
void append_value(std::string& out, const Call& call) {
  json::append_all(out, R"({"id":")", call.id.text(), R"(","name":)");
  json::append_string(out, call.agent->name());
  json::append_all(out, R"(,"role":"assistant","content":)", call.content ? *call.content : "null");
  if (call.metadata) append_raw(out, "metadata", *call.metadata);
  out += R"(,"timestamp":")";
  protocol::append_timestamp(out, call.settled);
  out += "\"}";
}

void append_outcome(std::string& out, const Call& call) {
  if (call.state == CallState::done) {
    out += R"(,"value":)";
    append_value(out, call);
  } else if (call.error) {
    out += R"(,"error":)";
    protocol::append_error(out, *call.error);
  }
}

bool is_left_out(const Call& call, protocol::SettledMode mode) {
  if (call.state != CallState::done || mode == protocol::SettledMode::value) return false;
  if (mode == protocol::SettledMode::state) return true;
  return call.content && call.content->size() > sent_unasked;
}

}  // namespace

void append_placeholder_of(std::string& out, const runtime::Runtime& runtime, const CallId& call) {
  protocol::append_placeholder(out, Placeholder{runtime.self(), call});
}

void append_settled_params(std::string& out, const Call& call, protocol::SettledMode mode) {
  json::append_all(out, R"({"call":")", call.id.text(), R"(","state":")",
                   runtime::state_name(call.shown_state()), "\"");
  if (!is_left_out(call, mode)) append_outcome(out, call);
  out += '}';
}

void append_refused_params(std::string& out, const CallId& call, const Error& error) {
  out += R"({"call":")";
  out += call.text();
  out += R"(","state":"failed","error":)";
  protocol::append_error(out, error);
  out += '}';
}

std::string call_answer(const runtime::Runtime& runtime, const Call& call, bool with_value) {
  std::string out = "{";
  append_member(out, "call", call.id.text());
  append_member(out, "state", runtime::state_name(call.shown_state()));
  append_raw(out, "placeholder", "");
  append_placeholder_of(out, runtime, call.id);
  if (with_value && call.state == CallState::done) append_outcome(out, call);
  return out += '}';
}

std::string call_details(const runtime::Runtime& runtime, const Call& call) {
  std::string out = "{";
  append_member(out, "call", call.id.text());
  append_member(out, "agent", call.agent->id);
  append_member(out, "method", call.method->first);
  append_member(out, "state", runtime::state_name(call.shown_state()));
  if (call.is_settled()) append_outcome(out, call);
  append_raw(out, "placeholder", "");
  append_placeholder_of(out, runtime, call.id);
  append_raw(out, "timing", "{");
  append_time(out, "accepted", call.accepted);
  append_time(out, "ready", call.ready);
  append_time(out, "started", call.started);
  append_time(out, "settled", call.settled);
  return out += "}}";
}

void append_call_entry(std::string& out, const Call& call) {
  out += '{';
  append_member(out, "call", call.id.text());
  append_member(out, "agent", call.agent->id);
  append_member(out, "method", call.method->first);
  append_member(out, "state", runtime::state_name(call.shown_state()));
  append_time(out, "accepted", call.accepted);
  append_time(out, "settled", call.settled);
  out += '}';
}

std::string agent_answer(const runtime::Runtime& runtime, const HostedAgent& agent) {
  std::string out = "{";
  append_member(out, "agent", agent.id);
  append_member(out, "type", agent.type->name);
  append_member(out, "name", agent.name());
  append_member(out, "host", runtime.self().host);
  append_raw(out, "port", std::to_string(runtime.self().port));
  return out += '}';
}

std::string agent_details(const HostedAgent& agent, std::string_view state, bool busy) {
  std::string out = "{";
  append_member(out, "agent", agent.id);
  append_member(out, "type", agent.type->name);
  append_member(out, "name", agent.name());
  append_raw(out, "args", agent.args());
  append_raw(out, "state", state);
  append_raw(out, "mailbox", std::to_string(agent.mailbox.size()));
  append_raw(out, "running", agent.running ? "true" : "false");
  append_raw(out, "calls", std::to_string(agent.calls));
  append_raw(out, "ordering", agent.keeps_order() ? "\"caller\"" : "\"ready\"");
  if (busy) append_raw(out, "busy", "true");
  append_time(out, "created_at", agent.created);
  return out += '}';
}

void append_agent_entry(std::string& out, const HostedAgent& agent) {
  out += '{';
  append_member(out, "agent", agent.id);
  append_member(out, "type", agent.type->name);
  append_member(out, "name", agent.name());
  append_raw(out, "mailbox", std::to_string(agent.mailbox.size()));
  append_raw(out, "calls", std::to_string(agent.calls));
  out += '}';
}

}  // namespace agentd::rpc
