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

JsonRpcDispatcher::JsonRpcDispatcher(runtime::Runtime& runtime, NodeControl& node, NodeFacts facts,
                                     Siblings* siblings)
    : runtime_(runtime),
      node_(node),
      facts_(std::move(facts)),
      openrpc_(openrpc_document(facts_)),
      context_{runtime_, node_, facts_, openrpc_, siblings},
      next_serial_(runtime.shard() + 1),
      no_waits_(runtime) {
  if (siblings) siblings->set(runtime.shard(), *this);
  for (const MethodInfo& method : method_table()) handlers_.emplace(method.name, method.handler);
}

std::string JsonRpcDispatcher::metrics() const { return metrics_text(runtime_, node_, facts_); }

void JsonRpcDispatcher::run(std::string_view method, Request& request) {
  const auto handler = handlers_.find(method);
  if (handler == handlers_.end()) return request.reply.error(method_not_found(method));
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
      return run(envelope.method, request);
    }
  }
}

Dispatcher::Interest JsonRpcDispatcher::handle_body(std::string_view body, Answer answer) {
  protocol::FrameReader frame;
  /// What waits here, and elsewhere.
  struct Interests {
    explicit Interests(runtime::Runtime& runtime) : waits(runtime) {}
    Waits waits;
    std::optional<FarInterests> far;
  };
  const auto interests = std::make_shared<Interests>(runtime_);
  if (context_.siblings) interests->far.emplace(context_.siblings->shards(), runtime_.shard());
  const auto fault = open(frame, body);
  const auto answers = std::make_shared<BodyAnswers>(!fault && frame.is_batch(), std::move(answer));
  // One more than there are requests, so that nothing leaves before all have been looked at.
  answers->expect();
  const auto make_reply = [&](std::string_view id) { return Reply(answers, id); };
  if (fault) make_reply("null").error(*fault);
  for (protocol::Envelope envelope; !fault && frame.next(envelope);) {
    if (const auto shard = elsewhere(envelope)) {
      send_far_body(*shard, FarRequest(envelope, !frame.is_shallow(), false), answers, *interests->far);
    } else {
      handle(envelope, nullptr, interests->waits, !frame.is_shallow(), make_reply);
    }
  }
  answers->complete();
  return interests;
}

std::shared_ptr<ChannelWatcher> JsonRpcDispatcher::watcher_of(const std::shared_ptr<Channel>& channel) {
  auto& watcher = watchers_[channel.get()];
  if (!watcher) {
    const auto* const far = dynamic_cast<const FarChannel*>(channel.get());
    const std::uint64_t number = far ? far->number() : next_serial_;
    if (!far) next_serial_ += context_.siblings ? context_.siblings->count() : 1;
    watcher = std::make_shared<ChannelWatcher>(
        channel, number, runtime_.caller(channel->caller()), std::make_unique<Waits>(runtime_),
        [this, weak = std::weak_ptr(channel)](const CallId& call, std::size_t shard) {
          if (const auto open = weak.lock()) subscribe_again(open, call, shard);
        });
  }
  return watcher;
}

void JsonRpcDispatcher::take(const std::vector<protocol::CallFrame::Notice>& notices,
                             const std::shared_ptr<ChannelWatcher>& watcher) {
  if (context_.siblings) return take_by_shard(notices, watcher);
  for (const protocol::CallFrame::Notice& notice : notices) {
    if (watcher->gone()) return;
    if (const auto* release = std::get_if<protocol::ReleaseNotice>(&notice)) {
      release_calls(runtime_, release->calls);
    } else {
      take_here(std::get<protocol::CallNotice>(notice), watcher);
    }
  }
}

void JsonRpcDispatcher::take_here(const protocol::CallNotice& notice,
                                  const std::shared_ptr<ChannelWatcher>& watcher) {
  Request request{{}, {}, watcher, watcher->waits()};
  runtime::CallRequest call;
  call.agent = notice.agent;
  call.method = notice.method;
  call.call = notice.call;
  runtime_.announce(call.call);
  call.deadline = notice.deadline;
  take_call(context_, request, call, input_of(notice));
}

void JsonRpcDispatcher::take_by_shard(const std::vector<protocol::CallFrame::Notice>& notices,
                                      const std::shared_ptr<ChannelWatcher>& watcher) {
  Siblings& siblings = *context_.siblings;
  const std::size_t here = runtime_.shard();
  std::vector<std::vector<FarNotice>> far(siblings.count());
  for (const protocol::CallFrame::Notice& notice : notices) {
    // What is for other loops was sent before that.
    if (watcher->gone()) break;
    if (const auto* release = std::get_if<protocol::ReleaseNotice>(&notice)) {
      auto parts = by_shard(siblings, release->calls);
      release_calls(runtime_, parts[here]);
      for (std::size_t shard = 0; shard < parts.size(); ++shard) {
        if (shard != here && !parts[shard].empty()) far[shard].emplace_back(std::move(parts[shard]));
      }
    } else {
      const auto& call = std::get<protocol::CallNotice>(notice);
      const std::size_t shard = siblings.shards().of_new_call(call.agent, call.call);
      if (shard == here) {
        take_here(call, watcher);
      } else {
        far[shard].emplace_back(far_call(call));
      }
    }
  }
  for (std::size_t shard = 0; shard < far.size(); ++shard) {
    if (far[shard].empty()) continue;
    std::size_t bytes = 0;
    for (const FarNotice& notice : far[shard]) bytes += bytes_of(notice);
    watcher->channel()->requests_sent(bytes);
    siblings.at(here, shard,
                [channel = far_channel(context_, *watcher, shard), notices = std::move(far[shard]),
                 bytes](JsonRpcDispatcher& there) mutable {
                  there.take_far(channel, notices);
                  channel->done(bytes);
                });
  }
}

void JsonRpcDispatcher::take_far(const std::shared_ptr<FarChannel>& channel,
                                 std::vector<FarNotice>& notices) {
  const std::shared_ptr<ChannelWatcher> watcher = watcher_of(channel);
  for (FarNotice& notice : notices) {
    if (const auto* release = std::get_if<std::vector<CallId>>(&notice)) {
      release_calls(runtime_, *release);
      continue;
    }
    auto& far = std::get<FarCall>(notice);
    Request request{{}, {}, watcher, watcher->waits()};
    runtime::CallRequest call;
    call.agent = far.agent;
    call.method = far.method;
    call.call = far.call;
    call.deadline = far.deadline;
    take_call(context_, request, call, std::move(far.input));
  }
}

std::optional<std::size_t> JsonRpcDispatcher::elsewhere(const protocol::Envelope& envelope) const {
  using Kind = protocol::Envelope::Kind;
  if (!context_.siblings) return std::nullopt;
  if (envelope.kind != Kind::request && envelope.kind != Kind::notification) return std::nullopt;
  const auto shard = shard_of(context_.siblings->shards(), envelope.method, envelope.params);
  return shard == runtime_.shard() ? std::nullopt : shard;
}

void JsonRpcDispatcher::send_far(std::size_t shard, FarRequest request, ChannelWatcher& watcher) {
  watcher.channel()->requests_sent(request.bytes());
  context_.siblings->at(runtime_.shard(), shard,
                        [channel = far_channel(context_, watcher, shard),
                         request = std::move(request)](JsonRpcDispatcher& there) {
                          there.run_far(channel, request);
                          channel->done(request.bytes());
                        });
}

void JsonRpcDispatcher::run_far(const std::shared_ptr<FarChannel>& channel, const FarRequest& far) {
  const std::shared_ptr<ChannelWatcher> watcher = watcher_of(channel);
  if (far.in_batch) channel->outbox().batch_came();
  Request request{far.params, {}, watcher, watcher->waits(), far.check_depth};
  if (far.wanted) request.reply = Reply(channel, far.id, far.in_batch);
  run(far.method, request);
}

void JsonRpcDispatcher::send_far_body(std::size_t shard, FarRequest request,
                                      const std::shared_ptr<BodyAnswers>& answers, FarInterests& interests) {
  const std::size_t here = runtime_.shard();
  const bool may_wait = request.wanted && (request.method == "agent.call" || request.method == "call.get");
  const auto interest = may_wait ? interests.add(shard) : nullptr;
  // Without an answer, too: the next request is not read before this one has been looked at.
  answers->expect();
  context_.siblings->at(here, shard, [=, request = std::move(request)](JsonRpcDispatcher& there) {
    auto answer = [=, &there](std::string text) {
      there.context().siblings->shards().at(shard, here,
                                            [=, text = std::move(text)](runtime::Runtime&) mutable {
                                              if (!text.empty()) answers->add_counted(std::move(text));
                                              answers->complete();
                                            });
    };
    there.run_far_body(request, interest.get(), answers->bytes(), std::move(answer));
  });
}

void JsonRpcDispatcher::run_far_body(const FarRequest& far, FarInterest* interest,
                                     const BodyAnswers::Bytes& bytes, Answer answer) {
  if (interest) interest->waits = std::make_unique<Waits>(runtime_);
  Request request{far.params, {}, nullptr, interest ? *interest->waits : no_waits_, far.check_depth};
  if (!far.wanted) {
    run(far.method, request);
    return answer("");
  }
  request.reply = Reply(std::make_shared<BodyAnswers>(false, std::move(answer), bytes), far.id);
  run(far.method, request);
}

void JsonRpcDispatcher::subscribe_far(const std::shared_ptr<FarChannel>& channel,
                                      const std::vector<CallId>& calls, std::chrono::milliseconds grace) {
  subscribe(runtime_, watcher_of(channel), calls, grace);
}

void JsonRpcDispatcher::subscribe_again(const std::shared_ptr<Channel>& channel, const CallId& call,
                                        std::size_t shard) {
  const std::size_t here = runtime_.shard();
  if (const auto far = std::dynamic_pointer_cast<FarChannel>(channel)) {
    return context_.siblings->at(here, far->home(), [far, call, shard](JsonRpcDispatcher& home) {
      if (const auto connection = far->connection().lock()) home.subscribe_again(connection, call, shard);
    });
  }
  if (channel->closed()) return;
  if (shard == here) return subscribe_moved(channel, call);
  context_.siblings->at(here, shard,
                        [far = far_channel(context_, *watcher_of(channel), shard),
                         call](JsonRpcDispatcher& there) { there.subscribe_moved(far, call); });
}

void JsonRpcDispatcher::subscribe_moved(const std::shared_ptr<Channel>& channel, const CallId& call) {
  const auto watcher = watcher_of(channel);
  const auto there = runtime_.find_call(call);
  // It is, or has been, told of a call that it has made itself.
  if (there && (*there)->was_made_by(watcher->connection())) return;
  subscribe(runtime_, watcher, {call}, runtime_.limits().grace);
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
    if (const auto shard = elsewhere(envelope)) {
      send_far(*shard, FarRequest(envelope, !frame.is_shallow(), frame.is_batch()), *watcher);
      continue;
    }
    handle(envelope, watcher, watcher->waits(), !frame.is_shallow(), make_reply);
  }
}

void JsonRpcDispatcher::channel_closed(const Channel& channel) {
  const auto found = watchers_.find(&channel);
  if (found == watchers_.end()) return;
  runtime_.stop_waiting(*found->second);
  for (const auto& far : found->second->far()) {
    if (!far) continue;
    far->end();
    context_.siblings->at(runtime_.shard(), far->here(),
                          [far](JsonRpcDispatcher& there) { there.far_closed(*far); });
  }
  found->second->close();
  watchers_.erase(found);
}

}  // namespace agentd::rpc
