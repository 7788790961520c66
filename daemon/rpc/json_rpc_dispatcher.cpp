#include "daemon/rpc/json_rpc_dispatcher.hpp"

#include <utility>

#include "common/json/text.hpp"
#include "common/protocol/near.hpp"
#include "daemon/rpc/metrics.hpp"
#include "daemon/rpc/openrpc.hpp"

namespace agentd::rpc {
namespace {

Error method_not_found(std::string_view name) {
  std::vector<std::string> names;
  for (const MethodInfo& method : method_table()) names.emplace_back(method.name);
  const auto near = protocol::near_names(name, names);
  constexpr std::size_t longest_shown = 128;
  std::string message = "there is no method \"" + std::string(name.substr(0, longest_shown)) +
                        (name.size() > longest_shown ? "…\"; " : "\"; ");
  if (near.empty()) {
    message += "rpc.discover lists those there are";
  } else {
    message += "did you mean \"" + near.front() + "\"?";
  }
  return Error(ErrorKind::method_not_found, std::move(message));
}

/// Whether the array has more than so many elements. What the SDK sends is too short for that.
bool has_more_than(std::size_t most, std::string_view array) {
  // An element has a byte, and a comma or a bracket behind it.
  if (array.size() / 2 <= most) return false;
  json::Elements elements(json::trim(array));
  for (std::size_t count = 0; elements.next();) {
    if (++count > most) return true;
  }
  return false;
}

}  // namespace

JsonRpcDispatcher::JsonRpcDispatcher(runtime::Runtime& runtime, NodeControl& node, NodeFacts facts)
    : runtime_(runtime),
      node_(node),
      facts_(std::move(facts)),
      openrpc_(openrpc_document(facts_)),
      context_{runtime_, node_, facts_, openrpc_} {
  for (const MethodInfo& method : method_table()) handlers_.emplace(method.name, method.handler);
}

std::string JsonRpcDispatcher::metrics() const { return metrics_text(runtime_, node_, facts_); }

void JsonRpcDispatcher::run(const protocol::Envelope& envelope, Request& request) {
  const auto handler = handlers_.find(envelope.method);
  if (handler == handlers_.end()) return request.reply.error(method_not_found(envelope.method));
  handler->second(context_, request);
}

std::optional<Error> JsonRpcDispatcher::open(protocol::FrameReader& frame, std::string_view text) const {
  if (auto fault = frame.open(text)) return fault;
  const std::size_t most = runtime_.limits().batch;
  if (!frame.is_batch() || !has_more_than(most, text)) return std::nullopt;
  Error error(ErrorKind::invalid_request,
              "the batch has more than " + std::to_string(most) +
                  " elements, which is the limit (limits.batch); none was looked at");
  return error.with("limit", "batch");
}

template <typename MakeReply>
void JsonRpcDispatcher::handle(const protocol::Envelope& envelope,
                               const std::shared_ptr<ChannelWatcher>& watcher, Waits& waits, bool check_depth,
                               MakeReply make_reply) {
  using Kind = protocol::Envelope::Kind;
  switch (envelope.kind) {
    case Kind::response:
      // Nothing is asked of clients, so no answer of theirs is waited for.
      return;
    case Kind::invalid: {
      Reply reply = make_reply(envelope.id);
      return reply.error(*envelope.problem);
    }
    case Kind::request:
    case Kind::notification: {
      Request request{envelope.params, {}, watcher, waits, check_depth, envelope.ends};
      if (envelope.kind == Kind::request) request.reply = make_reply(envelope.id);
      return run(envelope, request);
    }
  }
}

Dispatcher::Interest JsonRpcDispatcher::handle_body(std::string_view body, Answer answer) {
  protocol::FrameReader frame;
  auto waits = std::make_shared<Waits>(runtime_, waiting_);
  const auto fault = open(frame, body);
  const auto answers = std::make_shared<BodyAnswers>(!fault && frame.is_batch(), std::move(answer));
  // One more than there are requests, so that nothing leaves before all have been looked at.
  answers->expect();
  const auto make_reply = [&](std::string_view id) { return Reply(answers, id); };
  if (fault) make_reply("null").error(*fault);
  for (protocol::Envelope envelope; !fault && frame.next(envelope);) {
    handle(envelope, nullptr, *waits, !frame.is_shallow(), make_reply);
  }
  answers->complete();
  return waits;
}

std::shared_ptr<ChannelWatcher> JsonRpcDispatcher::watcher_of(const std::shared_ptr<Channel>& channel) {
  auto& watcher = watchers_[channel.get()];
  if (!watcher) {
    watcher = std::make_shared<ChannelWatcher>(channel, next_serial_++, runtime_.caller(channel->caller()),
                                               std::make_unique<Waits>(runtime_, waiting_));
  }
  return watcher;
}

void JsonRpcDispatcher::take(const std::vector<protocol::CallFrame::Notice>& notices,
                             const std::shared_ptr<ChannelWatcher>& watcher) {
  for (const protocol::CallFrame::Notice& notice : notices) {
    if (watcher->gone()) return;
    if (const auto* release = std::get_if<protocol::ReleaseNotice>(&notice)) {
      release_calls(runtime_, release->calls);
    } else {
      Request request{{}, {}, watcher, watcher->waits()};
      take_call(context_, request, std::get<protocol::CallNotice>(notice));
    }
  }
}

void JsonRpcDispatcher::handle_frame(const std::shared_ptr<Channel>& channel, std::string_view text) {
  if (calls_.read(text) && calls_.notices().size() <= runtime_.limits().batch) {
    take(calls_.notices(), watcher_of(channel));
    return calls_.clear();
  }
  protocol::FrameReader& frame = frame_;
  const auto fault = open(frame, text);
  const auto make_reply = [&](std::string_view id) { return Reply(channel, id, !fault && frame.is_batch()); };
  if (fault) return make_reply("null").error(*fault);
  const std::shared_ptr<ChannelWatcher> watcher = watcher_of(channel);
  for (protocol::Envelope envelope; frame.next(envelope);) {
    if (watcher->gone()) return;
    handle(envelope, watcher, watcher->waits(), !frame.is_shallow(), make_reply);
  }
}

void JsonRpcDispatcher::channel_closed(const Channel& channel) {
  const auto found = watchers_.find(&channel);
  if (found == watchers_.end()) return;
  runtime_.stop_waiting(*found->second);
  found->second->close();
  watchers_.erase(found);
}

}  // namespace agentd::rpc
