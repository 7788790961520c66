#include "daemon/rpc/subscriptions.hpp"

#include "common/protocol/envelope.hpp"
#include "daemon/rpc/views.hpp"

namespace agentd::rpc {

template <typename AppendParams>
void ChannelWatcher::notify(std::string_view method, AppendParams append_params) {
  const auto channel = channel_.lock();
  if (!channel || channel->closed()) return;
  std::string& out = channel->outbox().begin();
  out += R"({"jsonrpc":"2.0","method":")";
  out += method;
  out += R"(","params":)";
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

void answer_call(const runtime::Runtime& runtime, const runtime::Call& call, WaitingAnswer::Form form,
                 bool waited, Reply& reply) {
  // The text of an answer is a good part of what a notification would cost.
  if (!reply.wanted()) return;
  if (form == WaitingAnswer::Form::get) return reply.result(call_details(runtime, call));
  if (waited && call.error) return reply.error(*call.error);
  reply.result(call_answer(runtime, call, waited));
}

WaitingAnswer::WaitingAnswer(runtime::Runtime& runtime, runtime::CallPtr call, Form form, Reply reply)
    : runtime_(runtime), call_(std::move(call)), form_(form), reply_(std::move(reply)) {
  timer_.owner = this;
}

void WaitingAnswer::start(runtime::Runtime& runtime, const runtime::CallPtr& call,
                          std::chrono::milliseconds wait, Form form, Reply reply) {
  auto waiting = std::make_shared<WaitingAnswer>(runtime, call, form, std::move(reply));
  runtime.loop().start(waiting->timer_, runtime::Runtime::Clock::now() + wait,
                       [](async::Timer& timer) { static_cast<Expiry&>(timer).owner->time_over(); });
  runtime.watch(*call, std::move(waiting), protocol::SettledMode::value);
}

void WaitingAnswer::settled(const runtime::Call& call, protocol::SettledMode) {
  timer_.cancel();
  answer_call(runtime_, call, form_, true, reply_);
}

void WaitingAnswer::unknown(const CallId&, const Error& why) {
  timer_.cancel();
  reply_.error(why);
}

void WaitingAnswer::time_over() {
  const auto keep = shared_from_this();
  runtime_.unwatch(*call_, *this);
  answer_call(runtime_, *call_, form_, false, reply_);
}

}  // namespace agentd::rpc
