#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/json/text.hpp"
#include "daemon/rpc/cursor.hpp"
#include "daemon/rpc/methods.hpp"
#include "daemon/rpc/views.hpp"

namespace agentd::rpc {
namespace {

/// How many entries a list looks at for one page: a filter must not hold the loop up.
constexpr std::size_t looked_at_per_page = 10'000;

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
  }
  tell_refused(request, call.call, why);
}

/// What is asked for beside the call itself.
struct CallWishes {
  std::optional<std::chrono::milliseconds> wait;
  protocol::SettledMode settled = protocol::SettledMode::value;
  bool release = false;
};

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
  if (waits && !made->is_settled()) {
    request.waits.start(made, *wishes.wait, AnswerTo::call, std::move(request.reply));
  } else {
    answer_call(runtime, *made, AnswerTo::call, wishes.wait.has_value(), request.reply);
  }
  if (request.watcher && is_made_first_by(*made, *request.watcher) &&
      !is_watched_by(*made, *request.watcher)) {
    runtime.watch(*made, request.watcher, wishes.settled);
  }
  if (wishes.release) runtime.release(made->id);
}

/// The input of a call that came in a frame of calls.
Result<runtime::CallInput> input_of(const protocol::CallNotice& notice) {
  if (notice.message && !protocol::needs_literal(notice.message->content))
    return runtime::CallInput(protocol::copy_message(*notice.message));
  // Nothing in such a frame is nested too deep.
  auto input = protocol::read_input(notice.input, false);
  if (!input) return input.error();
  return runtime::CallInput(*std::move(input));
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
  call.call = has_id ? params->call : CallId::mint();
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

void take_call(MethodContext& context, Request& request, const protocol::CallNotice& notice) {
  runtime::CallRequest call;
  call.agent = notice.agent;
  call.method = notice.method;
  call.call = notice.call;
  context.runtime.announce(call.call);
  call.deadline = notice.deadline;
  call.caller = request.watcher->caller();
  auto input = input_of(notice);
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

void call_release(MethodContext& context, Request& request) {
  const auto params = protocol::read_release_params(request.params);
  if (!params) return request.reply.error(params.error());
  const std::size_t released = release_calls(context.runtime, params->calls);
  if (request.reply.wanted()) request.reply.result(R"({"released":)" + std::to_string(released) + '}');
}

void call_list(MethodContext& context, Request& request) {
  if (!request.reply.wanted()) return;
  const auto params = protocol::read_call_list_params(request.params);
  if (!params) return request.reply.error(params.error());
  const auto behind = read_cursor(params->cursor, context.facts.boot);
  if (!behind) return request.reply.error(behind.error());
  const runtime::Call* call = context.runtime.call_after(*behind);
  std::string out = R"({"calls":[)";
  std::uint32_t listed = 0;
  const runtime::Call* last = nullptr;
  for (std::size_t looked = 0; call && listed < params->limit && looked < looked_at_per_page; ++looked) {
    if ((params->agent.empty() || call->agent->id == params->agent) &&
        (params->state.empty() || runtime::state_name(call->state) == params->state)) {
      if (listed++ > 0) out += ',';
      append_call_entry(out, *call);
    }
    last = call;
    call = call->next;
  }
  out += ']';
  if (call && last) {
    out += R"(,"next_cursor":)";
    json::append_string(out, cursor_behind(last->seq, context.facts.boot));
  }
  request.reply.result(out += '}');
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
  std::unordered_set<CallId> asked;
  for (const CallId& call : params->calls) {
    if (!asked.insert(call).second) continue;
    const auto there = context.runtime.find_call(call);
    if (there && is_watched_by(**there, *request.watcher)) continue;
    context.runtime.watch_id(call, request.watcher, params->grace);
  }
}

}  // namespace agentd::rpc
