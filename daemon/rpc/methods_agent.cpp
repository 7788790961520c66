#include <algorithm>
#include <utility>

#include "common/json/text.hpp"
#include "daemon/rpc/cursor.hpp"
#include "daemon/rpc/methods.hpp"
#include "daemon/rpc/views.hpp"

namespace agentd::rpc {
namespace {

/// How long `agent.get` waits for a method on a worker to come back.
constexpr std::chrono::seconds state_wait{2};
/// How many agents `agent.create_many` makes before others get their turn.
constexpr std::uint64_t made_per_turn = 1000;
/// How many it looks for before that.
constexpr std::uint64_t looked_for_per_turn = 10'000;
/// How many entries a list looks at for one page: a filter must not hold the loop up.
constexpr std::size_t looked_at_per_page = 10'000;

std::shared_ptr<Reply> shared(Reply reply) { return std::make_shared<Reply>(std::move(reply)); }

/// Answers with the agent's state when it comes, or without it when that takes too long. Owned by the step
/// that gets the state.
class StateAnswer : public std::enable_shared_from_this<StateAnswer> {
public:
  StateAnswer(runtime::Runtime& runtime, runtime::AgentPtr agent, Reply reply)
      : runtime_(runtime), agent_(std::move(agent)), reply_(std::move(reply)) {
    timer_.owner = this;
  }

  void start() {
    runtime_.loop().start(timer_, runtime::Runtime::Clock::now() + state_wait,
                          [](async::Timer& timer) { static_cast<Expiry&>(timer).owner->time_over(); });
    step_ =
        runtime_.save(*agent_, [self = shared_from_this()](const Result<Json>& state) { self->came(state); })
            .get();
  }

private:
  struct Expiry : async::Timer {
    StateAnswer* owner = nullptr;
  };

  void came(const Result<Json>& state) {
    timer_.cancel();
    if (!reply_.wanted()) return;
    if (!state) return reply_.error(state.error());
    reply_.result(agent_details(*agent_, state->dump(-1, ' ', false, Json::error_handler_t::replace), false));
  }

  void time_over() {
    const auto keep = shared_from_this();
    runtime_.drop_step(*step_);
    reply_.result(agent_details(*agent_, "null", true));
  }

  runtime::Runtime& runtime_;
  runtime::AgentPtr agent_;
  runtime::Call* step_ = nullptr;
  Reply reply_;
  Expiry timer_;
};

/// Makes many agents, some in each turn. Stops at the first that cannot be made. Where they may have no room,
/// it looks first for those that are there already: asked again, as after a lost connection, all of them are.
class ManyAgents : public std::enable_shared_from_this<ManyAgents> {
public:
  ManyAgents(protocol::AgentCreateManyParams params, Reply reply)
      : params_(std::move(params)), reply_(std::move(reply)) {}

  void start(runtime::Runtime& runtime) {
    if (params_.count <= room(runtime)) return go_on(runtime);
    look(runtime);
  }

private:
  static std::uint64_t room(const runtime::Runtime& runtime) {
    return runtime.limits().agents - std::min<std::uint64_t>(runtime.agents(), runtime.limits().agents);
  }
  [[nodiscard]] std::string id(std::uint64_t index) const {
    return params_.prefix + '-' + std::to_string(index);
  }

  void look(runtime::Runtime& runtime) {
    const std::uint64_t until = std::min(params_.count, looked_for_ + looked_for_per_turn);
    for (; looked_for_ < until; ++looked_for_) missing_ += runtime.find_agent(id(looked_for_)) ? 0 : 1;
    if (missing_ > room(runtime)) return refuse(room(runtime));
    if (looked_for_ == params_.count) return go_on(runtime);
    runtime.gate()->post([self = shared_from_this()](runtime::Runtime& again) { self->look(again); });
  }

  /// Said before the first is made: half of them would help nobody.
  void refuse(std::uint64_t room) {
    Error refused(ErrorKind::overloaded, "count is " + std::to_string(params_.count) +
                                             ", and this node has room for " + std::to_string(room) +
                                             " more agents (limits.agents)");
    reply_.error(refused.with("limit", "agents"));
  }

  void go_on(runtime::Runtime& runtime) {
    const std::uint64_t until = std::min(params_.count, next_ + made_per_turn);
    open_ = until - next_;
    while (next_ < until && !failure_) {
      protocol::AgentCreateParams one;
      one.type = params_.type;
      one.agent = id(next_++);
      one.args = params_.args;
      one.options = params_.options;
      runtime.create(std::move(one),
                     [self = shared_from_this(), &runtime](const Result<runtime::AgentPtr>& made) {
                       self->one_made(runtime, made);
                     });
    }
    const std::uint64_t untried = until - next_;
    if (untried == 0) return;
    // Who is still being made says when it is over.
    open_ -= untried;
    if (open_ == 0) reply_.error(*failure_);
  }

  void one_made(runtime::Runtime& runtime, const Result<runtime::AgentPtr>& made) {
    if (!made && !failure_) failure_ = made.error();
    if (--open_ > 0) return;
    if (failure_) return reply_.error(*failure_);
    if (next_ < params_.count) {
      runtime.gate()->post([self = shared_from_this()](runtime::Runtime& again) { self->go_on(again); });
      return;
    }
    reply_.result(Json{{"count", params_.count}, {"first", id(0)}, {"last", id(params_.count - 1)}}.dump());
  }

  protocol::AgentCreateManyParams params_;
  Reply reply_;
  std::uint64_t looked_for_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t open_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

void agent_create(MethodContext& context, Request& request) {
  auto params = protocol::read_agent_create_params(request.params);
  if (!params) return request.reply.error(params.error());
  context.runtime.create(
      *std::move(params),
      [&runtime = context.runtime, reply = shared(std::move(request.reply))](Result<runtime::AgentPtr> made) {
        if (!made) return reply->error(made.error());
        reply->result(agent_answer(runtime, **made));
      });
}

void agent_create_many(MethodContext& context, Request& request) {
  auto params = protocol::read_agent_create_many_params(request.params);
  if (!params) return request.reply.error(params.error());
  std::make_shared<ManyAgents>(*std::move(params), std::move(request.reply))->start(context.runtime);
}

void agent_clone(MethodContext& context, Request& request) {
  auto params = protocol::read_agent_clone_params(request.params);
  if (!params) return request.reply.error(params.error());
  context.runtime.clone(
      params->agent, params->as, request.watcher ? request.watcher->caller() : nullptr,
      [&runtime = context.runtime, reply = shared(std::move(request.reply))](Result<runtime::AgentPtr> made) {
        if (!made) return reply->error(made.error());
        reply->result(agent_answer(runtime, **made));
      });
}

void agent_get(MethodContext& context, Request& request) {
  const auto params = protocol::read_agent_params(request.params, "agent.get");
  if (!params) return request.reply.error(params.error());
  const auto agent = context.runtime.find_agent(params->agent);
  if (!agent) return request.reply.error(agent.error());
  std::make_shared<StateAnswer>(context.runtime, runtime::AgentPtr(*agent), std::move(request.reply))
      ->start();
}

void agent_delete(MethodContext& context, Request& request) {
  const auto params = protocol::read_agent_params(request.params, "agent.delete");
  if (!params) return request.reply.error(params.error());
  const auto removed = context.runtime.remove(params->agent);
  if (!removed) return request.reply.error(removed.error());
  request.reply.result("{}");
}

void agent_list(MethodContext& context, Request& request) {
  if (!request.reply.wanted()) return;
  const auto params = protocol::read_agent_list_params(request.params);
  if (!params) return request.reply.error(params.error());
  const auto behind = read_cursor(params->cursor, context.facts.boot);
  if (!behind) return request.reply.error(behind.error());
  const runtime::HostedAgent* agent = context.runtime.agent_after(*behind);
  std::string out = R"({"agents":[)";
  std::uint32_t listed = 0;
  const runtime::HostedAgent* last = nullptr;
  for (std::size_t looked = 0; agent && listed < params->limit && looked < looked_at_per_page; ++looked) {
    if (params->type.empty() || agent->type->name == params->type) {
      if (listed++ > 0) out += ',';
      append_agent_entry(out, *agent);
    }
    last = agent;
    agent = agent->next;
  }
  out += ']';
  if (agent && last) {
    out += R"(,"next_cursor":)";
    json::append_string(out, cursor_behind(last->seq, context.facts.boot));
  }
  request.reply.result(out += '}');
}

}  // namespace agentd::rpc
