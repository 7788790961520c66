#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/json/text.hpp"
#include "daemon/rpc/far_requests.hpp"
#include "daemon/rpc/methods.hpp"
#include "daemon/rpc/views.hpp"

namespace agentd::rpc {
namespace {

/// Tells the sender that its call will not run.
void tell_refused(Request& request, const CallId& call, const Error& why) {
  if (request.reply.wanted()) return request.reply.error(why);
  if (request.watcher && !call.empty()) request.watcher->unknown(call, why);
}

/// The id that a notification with wrong params was sent with, where one can be read.
CallId call_id_of(std::string_view params) {
  if (params.empty() || json::type_of(params) != json::Type::object) return {};
  for (json::Members members(params); members.next();) {
    if (members.key_is("call") && json::type_of(members.value()) == json::Type::string) {
      return CallId::parse(json::unquote(members.value())).value_or(CallId{});
    }
  }
  return {};
}

/// A notification has no answer that could wait.
bool wants_to_wait(const std::optional<std::chrono::milliseconds>& wait, const Request& request) {
  return wait && wait->count() > 0 && request.reply.wanted();
}

bool has_settled(runtime::Runtime& runtime, const CallId& id) {
  const auto call = runtime.find_call(id);
  return call && (*call)->is_settled();
}

bool is_watched_by(const runtime::Call& call, const runtime::Watcher& watcher) {
  return std::any_of(call.watches.begin(), call.watches.end(),
                     [&](const runtime::Watch& watch) { return watch.watcher.get() == &watcher; });
}

bool has_joined(const runtime::Call& call, const ChannelWatcher& watcher) {
  return std::find(call.joined_by.begin(), call.joined_by.end(), watcher.connection()) !=
         call.joined_by.end();
}

/// False where that connection has made this call before: `call.settled` comes once a call and connection.
bool is_made_first_by(runtime::Call& call, const ChannelWatcher& watcher) {
  if (call.origin == watcher.connection()) return !std::exchange(call.origin_watches, true);
  if (has_joined(call, watcher)) return false;
  call.joined_by.push_back(watcher.connection());
  return true;
}

/// As for any other: unless it is the id of a call that this connection has made, at the id's home.
void tell_refused_stray(MethodContext& context, const std::shared_ptr<ChannelWatcher>& watcher,
                        const CallId& call, const Error& why) {
  context.runtime.ask_home_of_refused(call, watcher->connection(), [&context, watcher, call, why](bool same) {
    if (same) {
      context.runtime.count_dropped();
      context.node.dropped(call, why);
    } else {
      watcher->unknown(call, why);
    }
  });
}

void refuse(MethodContext& context, Request& request, const runtime::CallRequest& call, bool has_id,
            const Error& why) {
  if (why.kind() == ErrorKind::conflict && !request.reply.wanted() && request.watcher) {
    // `call.settled` comes once a call and connection: the first call of that id may still bring its own.
    const auto first = context.runtime.find_call(call.call);
    const ChannelWatcher& watcher = *request.watcher;
    if (first && ((*first)->origin == watcher.connection() || has_joined(**first, watcher))) {
      context.runtime.count_dropped();
      return context.node.dropped(call.call, why);
    }
  }
  if (why.kind() != ErrorKind::conflict && has_id) {
    // The sender is told below, whether it waits for that id or not: once.
    if (request.watcher && !request.reply.wanted()) context.runtime.stop_waiting(call.call, *request.watcher);
    context.runtime.refuse(call, why, !request.reply.wanted());
    if (context.runtime.is_stray(call.call) && request.watcher && !request.reply.wanted()) {
      return tell_refused_stray(context, request.watcher, call.call, why);
    }
  }
  tell_refused(request, call.call, why);
}

/// What is asked for beside the call itself.
struct CallWishes {
  std::optional<std::chrono::milliseconds> wait;
  protocol::SettledMode settled = protocol::SettledMode::value;
  bool release = false;
};

/// The connection that has made a call is told of it, once. False where it is, or will be, anyway.
bool watch_own(runtime::Runtime& runtime, const std::shared_ptr<ChannelWatcher>& watcher, runtime::Call& call,
               protocol::SettledMode mode) {
  if (!watcher || !is_made_first_by(call, *watcher) || is_watched_by(call, *watcher)) return false;
  runtime.watch(call, watcher, mode);
  return true;
}

/// What `make_call` says, when it is known whether the id is free: where it is not, what it would have said
/// had that been known at once. `asked`: it was a request, which is answered here, or waits for the call
/// already.
void tell_when_claimed(MethodContext& context, Request& request, runtime::Call& call,
                       const CallWishes& wishes, bool asked) {
  // From now on, for it may settle before that.
  const bool watches = watch_own(context.runtime, request.watcher, call, wishes.settled);
  context.runtime.when_claimed(
      call, [&context, watcher = request.watcher, reply = std::make_shared<Reply>(std::move(request.reply)),
             asked, watches, waited = wishes.wait.has_value()](
                runtime::Call& made, const runtime::Runtime::ClaimRefusal* refused) {
        if (!refused) return answer_call(context.runtime, made, AnswerTo::call, waited, *reply);
        // `call.settled` comes once a call and connection, whatever comes of the id.
        const bool untold = watches && context.runtime.stop_watching(made, *watcher);
        if (asked) {
          reply->error(refused->why);
        } else if (refused->same_connection) {
          context.runtime.count_dropped();
          context.node.dropped(made.id, refused->why);
        } else if (untold && !watcher->gone()) {
          watcher->unknown(made.id, refused->why);
        }
      });
}

/// `has_id`: the sender named the call.
void make_call(MethodContext& context, Request& request, runtime::CallRequest& call, bool has_id,
               const CallWishes& wishes) {
  runtime::Runtime& runtime = context.runtime;
  call.origin = request.watcher ? request.watcher->connection() : 0;
  const bool waits = wants_to_wait(wishes.wait, request);
  if (waits && !has_settled(runtime, call.call)) {
    if (const auto room = request.waits.check(); !room)
      return refuse(context, request, call, has_id, room.error());
  }
  const auto accepted = runtime.accept(call);
  if (!accepted) return refuse(context, request, call, has_id, accepted.error());
  const runtime::CallPtr& made = *accepted;
  const bool asked = request.reply.wanted();
  if (waits && !made->is_settled()) {
    request.waits.start(made, *wishes.wait, AnswerTo::call, std::move(request.reply));
  } else if (!made->unclaimed) {
    answer_call(runtime, *made, AnswerTo::call, wishes.wait.has_value(), request.reply);
  }
  if (made->unclaimed) {
    tell_when_claimed(context, request, *made, wishes, asked);
  } else {
    watch_own(runtime, request.watcher, *made, wishes.settled);
  }
  if (wishes.release) runtime.release(made->id);
}

}  // namespace

void agent_call(MethodContext& context, Request& request) {
  const auto params = protocol::read_call_params(request.params, request.ends);
  runtime::Runtime& runtime = context.runtime;
  runtime::CallRequest call;
  if (!params) {
    call.call = call_id_of(request.params);
    return refuse(context, request, call, !call.call.empty(), params.error());
  }
  call.agent = params->agent;
  call.method = params->method;
  const bool has_id = !params->call.empty();
  call.call = has_id ? params->call : CallId::mint_at(home_of(call.agent));
  call.deadline = params->deadline;
  call.path = params->path;
  if (!params->caller.empty()) {
    call.caller = runtime.caller(params->caller);
  } else if (request.watcher) {
    call.caller = request.watcher->caller();
  }
  auto input = protocol::read_input(params->input, request.check_depth, request.ends);
  if (!input) return refuse(context, request, call, has_id, input.error());
  call.input = runtime::CallInput(*std::move(input));
  make_call(context, request, call, has_id,
            {.wait = params->wait, .settled = params->settled, .release = params->release});
}

Result<runtime::CallInput> input_of(const protocol::CallNotice& notice) {
  if (notice.message && !protocol::needs_literal(notice.message->content))
    return runtime::CallInput(protocol::copy_message(*notice.message));
  // Nothing in such a frame is nested too deep.
  auto input = protocol::read_input(notice.input, false);
  if (!input) return input.error();
  return runtime::CallInput(*std::move(input));
}

void take_call(MethodContext& context, Request& request, runtime::CallRequest& call,
               Result<runtime::CallInput> input) {
  call.caller = request.watcher->caller();
  if (!input) return refuse(context, request, call, true, input.error());
  call.input = *std::move(input);
  make_call(context, request, call, true, {.wait = {}, .settled = protocol::SettledMode::automatic});
}

std::size_t release_calls(runtime::Runtime& runtime, const std::vector<CallId>& calls) {
  for (const CallId& call : calls) runtime.announce(call);
  std::size_t released = 0;
  for (const CallId& call : calls) released += runtime.release(call) ? 1 : 0;
  return released;
}

void call_get(MethodContext& context, Request& request) {
  const auto params = protocol::read_call_get_params(request.params);
  if (!params) return request.reply.error(params.error());
  const auto call = context.runtime.find_call(params->call);
  if (!call) return request.reply.error(call.error());
  if ((*call)->is_settled() || !wants_to_wait(params->wait, request)) {
    return answer_call(context.runtime, **call, AnswerTo::get, false, request.reply);
  }
  if (const auto room = request.waits.check(); !room) return request.reply.error(room.error());
  request.waits.start(*call, *params->wait, AnswerTo::get, std::move(request.reply));
}

void call_cancel(MethodContext& context, Request& request) {
  const auto params = protocol::read_call_cancel_params(request.params);
  if (!params) return request.reply.error(params.error());
  const auto call = context.runtime.find_call(params->call);
  if (!call) return request.reply.error(call.error());
  const auto state = context.runtime.cancel(**call);
  request.reply.result(R"({"call":")" + std::string(params->call.text()) + R"(","state":")" +
                       std::string(runtime::state_name(state)) + R"("})");
}

std::vector<std::vector<CallId>> by_shard(const Siblings& siblings, const std::vector<CallId>& calls) {
  std::vector<std::vector<CallId>> parts(siblings.count());
  for (const CallId& call : calls) parts[siblings.shards().of_call(call)].push_back(call);
  return parts;
}

namespace {

/// Answers when all shards have released theirs. At the shard that was asked.
struct ReleaseAnswer {
  std::size_t open = 0;
  std::size_t released = 0;
  PendingRequest request;
  Reply reply;

  void part_released(std::size_t more) {
    released += more;
    if (--open > 0) return;
    request.done();
    if (reply.wanted()) reply.result(R"({"released":)" + std::to_string(released) + '}');
  }
};

}  // namespace

void call_release(MethodContext& context, Request& request) {
  const auto params = protocol::read_release_params(request.params);
  if (!params) return request.reply.error(params.error());
  const auto answer = std::make_shared<ReleaseAnswer>();
  answer->open = 1;
  answer->request = pending(context, request, request.params.size());
  answer->reply = std::move(request.reply);
  if (!context.siblings) return answer->part_released(release_calls(context.runtime, params->calls));
  auto parts = by_shard(*context.siblings, params->calls);
  const std::size_t here = context.runtime.shard();
  for (std::size_t shard = 0; shard < parts.size(); ++shard) {
    if (shard == here || parts[shard].empty()) continue;
    ++answer->open;
    context.siblings->shards().at(here, shard, [=, calls = std::move(parts[shard])](runtime::Runtime& there) {
      const std::size_t released = release_calls(there, calls);
      there.shards()->at(shard, here, [=](runtime::Runtime&) { answer->part_released(released); });
    });
  }
  answer->part_released(release_calls(context.runtime, parts[here]));
}

void call_subscribe(MethodContext& context, Request& request) {
  const auto params = protocol::read_subscribe_params(request.params);
  if (!params) return request.reply.error(params.error());
  if (!request.watcher) {
    return request.reply.error(Error(ErrorKind::not_supported,
                                     "call.subscribe needs a WebSocket (GET /ws): plain HTTP can be told "
                                     "nothing later; use call.get with wait_ms"));
  }
  request.reply.result("{}");
  if (!context.siblings) return subscribe(context.runtime, request.watcher, params->calls, params->grace);
  subscribe_everywhere(context, request.watcher, params->calls, params->grace);
}

void subscribe(runtime::Runtime& runtime, const std::shared_ptr<ChannelWatcher>& watcher,
               const std::vector<CallId>& calls, std::chrono::milliseconds grace) {
  std::unordered_set<CallId> asked;
  for (const CallId& call : calls) {
    if (!asked.insert(call).second) continue;
    const auto there = runtime.find_call(call);
    if (there && is_watched_by(**there, *watcher)) continue;
    runtime.watch_id(call, watcher, grace);
  }
}

}  // namespace agentd::rpc
