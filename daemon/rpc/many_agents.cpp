#include "daemon/rpc/many_agents.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace agentd::rpc {
namespace {

/// How many agents a shard makes before others get their turn.
constexpr std::size_t made_per_turn = 1000;
/// How many it looks at before that.
constexpr std::uint64_t looked_at_per_turn = 10'000;

std::string id_of(const protocol::AgentCreateManyParams& params, std::uint64_t index) {
  return params.prefix + '-' + std::to_string(index);
}

}  // namespace

/// The work of one shard, on its thread.
class ManyAgents::Part {
public:
  Part(protocol::AgentCreateManyParams params, OnAnswer on_answer)
      : params_(std::move(params)), on_answer_(std::move(on_answer)) {}

protected:
  /// The next that belong here: `most` at most, and none where others are to get their turn first.
  std::vector<std::string> next_ids(const runtime::Runtime& runtime, std::size_t most) {
    std::vector<std::string> ids;
    const std::uint64_t until = std::min(params_.count, next_ + looked_at_per_turn);
    while (next_ < until && ids.size() < most) {
      std::string id = id_of(params_, next_++);
      if (runtime.is_here(id)) ids.push_back(std::move(id));
    }
    return ids;
  }
  [[nodiscard]] bool at_end() const { return next_ == params_.count; }

  protocol::AgentCreateManyParams params_;
  OnAnswer on_answer_;

private:
  std::uint64_t next_ = 0;
};

class ManyAgents::Look : public Part, public std::enable_shared_from_this<Look> {
public:
  using Part::Part;

  void go_on(runtime::Runtime& runtime) {
    for (const std::string& id : next_ids(runtime, looked_at_per_turn)) {
      answer_.missing += runtime.find_agent(id) ? 0 : 1;
    }
    if (at_end()) return on_answer_(answer_);
    runtime.gate()->post([self = shared_from_this()](runtime::Runtime& again) { self->go_on(again); });
  }

private:
  Answer answer_;
};

class ManyAgents::Make : public Part, public std::enable_shared_from_this<Make> {
public:
  using Part::Part;

  void go_on(runtime::Runtime& runtime) {
    const std::vector<std::string> ids = next_ids(runtime, made_per_turn);
    // One more than there are, until all of them have been begun.
    open_ = 1;
    for (const std::string& id : ids) {
      if (answer_.failure) break;
      ++open_;
      protocol::AgentCreateParams one;
      one.type = params_.type;
      one.agent = id;
      one.args = params_.args;
      one.options = params_.options;
      runtime.create(std::move(one),
                     [self = shared_from_this(), &runtime](const Result<runtime::AgentPtr>& made) {
                       if (!made && !self->answer_.failure) self->answer_.failure = made.error();
                       self->one_done(runtime);
                     });
    }
    one_done(runtime);
  }

private:
  void one_done(runtime::Runtime& runtime) {
    if (--open_ > 0) return;
    if (answer_.failure || at_end()) return on_answer_(answer_);
    runtime.gate()->post([self = shared_from_this()](runtime::Runtime& again) { self->go_on(again); });
  }

  std::size_t open_ = 0;
  Answer answer_;
};

void ManyAgents::start() {
  if (params_.count <= room()) return at_each_shard<Make>(&ManyAgents::made);
  if (params_.count > runtime_.limits().agents) return refuse();
  at_each_shard<Look>(&ManyAgents::looked);
}

template <typename P>
void ManyAgents::at_each_shard(void (ManyAgents::*all_answered)()) {
  const runtime::Shards* const shards = runtime_.shards();
  const std::size_t here = runtime_.shard();
  open_ = shards ? shards->count() : 1;
  for (std::size_t shard = 0; shards && shard < shards->count(); ++shard) {
    if (shard == here) continue;
    shards->at(here, shard, [=, self = shared_from_this(), params = params_](runtime::Runtime& there) {
      auto on_answer = [=](const Answer& answer) {
        shards->at(shard, here, [=](runtime::Runtime&) { self->part_answered(answer, all_answered); });
      };
      std::make_shared<P>(params, std::move(on_answer))->go_on(there);
    });
  }
  auto on_answer = [=, self = shared_from_this()](const Answer& answer) {
    self->part_answered(answer, all_answered);
  };
  std::make_shared<P>(params_, std::move(on_answer))->go_on(runtime_);
}

void ManyAgents::part_answered(const Answer& answer, void (ManyAgents::*all_answered)()) {
  missing_ += answer.missing;
  if (answer.failure && !failure_) failure_ = answer.failure;
  if (--open_ == 0) (this->*all_answered)();
}

void ManyAgents::looked() {
  if (missing_ > room()) return refuse();
  at_each_shard<Make>(&ManyAgents::made);
}

/// Said before the first is made: half of them would help nobody.
void ManyAgents::refuse() {
  request_.done();
  Error refused(ErrorKind::overloaded, "count is " + std::to_string(params_.count) +
                                           ", and this node has room for " + std::to_string(room()) +
                                           " more agents (limits.agents)");
  reply_.error(refused.with("limit", "agents"));
}

void ManyAgents::made() {
  request_.done();
  if (failure_) return reply_.error(*failure_);
  reply_.result(Json{
      {"count", params_.count}, {"first", id_of(params_, 0)}, {"last", id_of(params_, params_.count - 1)}}
                    .dump());
}

std::uint64_t ManyAgents::room() const {
  const std::uint64_t most = runtime_.limits().agents;
  return most - std::min(runtime_.totals().agents, most);
}

}  // namespace agentd::rpc
