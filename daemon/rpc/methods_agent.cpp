#include <algorithm>
#include <utility>

#include "common/json/text.hpp"
#include "daemon/rpc/far_requests.hpp"
#include "daemon/rpc/many_agents.hpp"
#include "daemon/rpc/methods.hpp"
#include "daemon/rpc/views.hpp"

namespace agentd::rpc {
namespace {

/// As so many bytes of requests one for many agents counts, beside its own: each loop has work for it.
constexpr std::size_t weight_of_many = 64U << 10;
/// How long `agent.get` waits for a method on a worker to come back.
constexpr std::chrono::seconds state_wait{2};

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
  auto pending_request = pending(context, request, request.params.size() + weight_of_many);
  std::make_shared<ManyAgents>(context.runtime, *std::move(params), std::move(pending_request),
                               std::move(request.reply))
      ->start();
}

void agent_clone(MethodContext& context, Request& request) {
  auto params = protocol::read_agent_clone_params(request.params);
  if (!params) return request.reply.error(params.error());
  runtime::Runtime& here = context.runtime;
  const auto caller = request.watcher ? request.watcher->caller() : nullptr;
  const auto reply = shared(std::move(request.reply));
  if (params->as.empty() || here.is_here(params->as)) {
    return here.clone(params->agent, params->as, caller, [&here, reply](Result<runtime::AgentPtr> made) {
      if (!made) return reply->error(made.error());
      reply->result(agent_answer(here, **made));
    });
  }
  const std::size_t asked = here.shard();
  const std::size_t target = here.shards()->of_agent(params->as);
  here.copy(params->agent, params->as, caller, [=, &here](Result<protocol::AgentCreateParams> copy) {
    if (!copy) return reply->error(copy.error());
    here.shards()->at(asked, target, [=, copy = *std::move(copy)](runtime::Runtime& there) mutable {
      there.create_copy(std::move(copy), [=, &there](const Result<runtime::AgentPtr>& made) {
        Result<std::string> answer = made ? Result<std::string>(agent_answer(there, **made)) : made.error();
        there.shards()->at(target, asked, [=, answer = std::move(answer)](runtime::Runtime&) {
          if (!answer) return reply->error(answer.error());
          reply->result(*answer);
        });
      });
    });
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

}  // namespace agentd::rpc
