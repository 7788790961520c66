#include "daemon/rpc/subscriptions.hpp"

#include "common/json/append.hpp"
#include "common/protocol/envelope.hpp"
#include "daemon/rpc/views.hpp"

namespace agentd::rpc {

template <typename AppendParams>
void ChannelWatcher::notify(std::string_view method, AppendParams append_params) {
  const auto channel = channel_.lock();
  if (!channel || channel->closed()) return;
  std::string& out = channel->outbox().begin();
  json::append_all(out, R"({"jsonrpc":"2.0","method":")", method, R"(","params":)");
  append_params(out);
  out += '}';
  channel->outbox().end();
  channel->sent();
}

void ChannelWatcher::settled(const runtime::Call& call, protocol::SettledMode mode) {
  // Where too much waits already, the value is left out; call.get brings it.
  const auto channel = channel_.lock();
  const auto sent = channel && channel->full() ? protocol::SettledMode::state : mode;
  notify("call.settled", [&](std::string& out) { append_settled_params(out, call, sent); });
}

void ChannelWatcher::progressed(const runtime::Call& call, std::uint64_t seq, std::string_view value) {
  notify("call.progress", [&](std::string& out) {
    out += R"({"call":")";
    out += call.id.text();
    out += R"(","seq":)";
    out += std::to_string(seq);
    out += R"(,"value":)";
    out += value;
    out += '}';
  });
}

void ChannelWatcher::unknown(const CallId& call, const Error& why) {
  notify("call.settled", [&](std::string& out) { append_refused_params(out, call, why); });
}

}  // namespace agentd::rpc
