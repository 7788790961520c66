#include "daemon/runtime/runtime.hpp"

#include <algorithm>
#include <utility>

#include "common/json/text.hpp"
#include "common/protocol/name.hpp"

namespace agentd::runtime {
namespace {

/// What an agent type says may quote all that it was given.
std::string shortened(const std::string& text) {
  constexpr std::size_t most = 1000;
  return text.size() <= most ? text : text.substr(0, most) + "... (shortened)";
}

/// In what an agent is not the one that is asked for; empty where it is that one.
std::string difference(const HostedAgent& agent, const protocol::AgentCreateParams& asked) {
  if (agent.type->name != asked.type) return "the type \"" + agent.type->name + '"';
  if (json::canonical(agent.args()) != json::canonical(asked.args)) {
    return "other args: " + std::string(agent.args()).substr(0, 200);
  }
  const bool claimed = !asked.options.claim.empty();
  return claimed && agent.claim() != asked.options.claim ? "another claim" : "";
}

/// Empty where there is none that an agent may have.
std::string name_in(std::string_view args) {
  for (json::Members members(args); members.next();) {
    if (!members.key_is("name") || json::type_of(members.value()) != json::Type::string) continue;
    std::string name = json::unquote(members.value());
    if (protocol::is_name(name)) return name;
  }
  return {};
}

/// Ids are spread evenly over the shards.
std::size_t share_of_shard(std::size_t bound, const RuntimeSettings& settings) {
  return settings.shards ? std::max<std::size_t>(1, bound / settings.shards->count()) : bound;
}

}  // namespace

Runtime::Runtime(async::Loop& loop, const TypeTable& types, ForeignNodes* foreign, RuntimeSettings settings)
    : loop_(loop),
      types_(types),
      foreign_(foreign),
      settings_(std::move(settings)),
      workers_(settings_.pool
                   ? settings_.pool
                   : std::make_shared<WorkerPool>(settings_.workers, settings_.limits.blocked_workers)),
      gate_(std::make_shared<RuntimeGate>(loop, *this, settings_.self, *workers_)),
      tombstones_(share_of_shard(settings_.limits.tombstones, settings_), settings_.limits.tombstone_ttl) {
  if (settings_.shards) settings_.shards->set(settings_.shard, *this);
}

Runtime::~Runtime() {
  close(Clock::time_point::min());
  workers_->join();
  forget_running();
}

bool Runtime::is_self(const NodeAddress& node) const {
  if (node.host.empty() || node == settings_.self) return true;
  return std::find(settings_.aliases.begin(), settings_.aliases.end(), node) != settings_.aliases.end();
}

CallerPtr Runtime::caller(std::string_view name) {
  if (const auto found = callers_.find(name); found != callers_.end()) return found->second;
  if (callers_.size() >= 2 * calls_.size() + 4096) {
    // Callers whose calls are all forgotten: nothing is kept for them.
    boost::unordered::erase_if(callers_, [](const auto& entry) { return entry.second->use_count() == 1; });
  }
  CallerPtr caller(new Caller(std::string(name)));
  callers_.emplace(caller->name, caller);
  return caller;
}

// Agents.

Result<HostedAgent*> Runtime::find_agent(std::string_view id) const {
  if (HostedAgent* const found = agents_.find(id)) return found;
  if (settings_.why_missing) {
    if (auto why = settings_.why_missing(id)) return *std::move(why);
  }
  Error error(ErrorKind::agent_not_found,
              "there is no agent \"" + std::string(id) + "\" on this node; agent.list shows those there are");
  return error.at_agent(id).at_node(settings_.self.text());
}

Result<void> Runtime::check_new_agent(const protocol::AgentCreateParams& params) const {
  if (draining()) return Error(ErrorKind::shutting_down, "this node is draining and takes no new agents");
  if (const auto there = agents_.size() + others().agents; there >= settings_.limits.agents) {
    return overloaded(
        "agents", "this node hosts " + std::to_string(there) + " agents, which is its limit (limits.agents)");
  }
  if (!params.agent.empty() && !is_agent_id(params.agent)) {
    return Error(ErrorKind::invalid_params,
                 "\"" + params.agent + "\" is no agent id: use 1 to 128 of A-Z a-z 0-9 . _ -");
  }
  return {};
}

std::shared_ptr<const HostedAgent::Settings> Runtime::shared_settings(HostedAgent::Settings settings) {
  if (settings == HostedAgent::Settings()) return nullptr;
  auto latest = latest_settings_.lock();
  if (!latest || *latest != settings) {
    latest = std::make_shared<const HostedAgent::Settings>(std::move(settings));
    latest_settings_ = latest;
  }
  return latest;
}

AgentPtr Runtime::add_agent(protocol::AgentCreateParams& params, const AgentType& type) {
  AgentPtr agent(new HostedAgent);
  agent->type = &type;
  agent->created = Call::WallClock::now();
  agent->seq = next_seq_++;
  agent->id = std::move(params.agent);
  while (agent->id.empty() || agents_.contains(agent->id) || !is_here(agent->id)) {
    agent->id = type.name + '-' + random_suffix(8);
  }
  HostedAgent::Settings settings{params.name == type.name ? "" : std::move(params.name),
                                 std::move(params.options), std::move(params.args)};
  agent->settings = shared_settings(std::move(settings));
  agents_.add(agent);
  ++tally_.agents;
  agents_in_order_.append(*agent);
  return agent;
}

void Runtime::gone(HostedAgent& agent) {
  agent.body.reset();
  leaving_.erase(AgentPtr(&agent));
}

Error Runtime::deleted_error(const HostedAgent& agent) const {
  Error error(ErrorKind::agent_deleted, "agent \"" + agent.id + "\" was deleted");
  return error.at_agent(agent.id).at_node(settings_.self.text());
}

void Runtime::forget_agent(HostedAgent& agent) {
  const AgentPtr keep(&agent);
  agent.deleted = true;
  agents_in_order_.remove(agent);
  agents_.remove(agent.id);
  --tally_.agents;
}

void Runtime::create(protocol::AgentCreateParams params, OnCreated on_created) {
  if (params.args.empty()) params.args = "{}";
  if (HostedAgent* const there = agents_.find(params.agent)) {
    HostedAgent& agent = *there;
    const std::string other = difference(agent, params);
    if (other.empty()) {
      const auto making = making_.find(&agent);
      if (making == making_.end()) return on_created(AgentPtr(there));
      if (making->second.size() < settings_.limits.mailbox)
        return making->second.push_back(std::move(on_created));
      return on_created(overloaded("mailbox", "agent \"" + params.agent + "\" is being made, and " +
                                                  std::to_string(making->second.size()) + " wait for that"));
    }
    Error error(ErrorKind::conflict, "agent \"" + params.agent + "\" exists already, with " + other);
    return on_created(error.at_agent(params.agent).at_node(settings_.self.text()));
  }
  const auto type = types_.find(params.type);
  if (!type) return on_created(type.error());
  if (auto checked = check_new_agent(params); !checked) return on_created(checked.error());
  if (params.name.empty()) params.name = name_in(params.args);
  construct(add_agent(params, **type), std::move(on_created));
}

void Runtime::construct(const AgentPtr& agent, OnCreated on_created) {
  making_[agent.get()].push_back(std::move(on_created));
  const auto done = [this, agent](const Result<Json>& made) {
    const auto waiting = making_.extract(agent.get());
    const Result<AgentPtr> result = made_or_not(agent, made);
    for (const OnCreated& told : waiting.mapped()) told(result);
  };
  const CallPtr step = add_step(*agent, Call::Kind::construct, nullptr, true, done);
  start_deadline(*step, Clock::now() + settings_.limits.deadline);
}

Result<AgentPtr> Runtime::made_or_not(const AgentPtr& agent, const Result<Json>& made) {
  if (made && agent->deleted) return deleted_error(*agent);
  if (made) return agent;
  Error error = made.error();
  if (error.kind() == ErrorKind::agent_failed) {
    error = Error(ErrorKind::invalid_params,
                  "agent type \"" + agent->type->name + "\" refused: " + shortened(error.message()));
  }
  if (!agent->deleted) retire(agent, error);
  return error;
}

void Runtime::not_made_in_time(Call& step) {
  const CallPtr keep(&step);
  Error error(ErrorKind::deadline_exceeded,
              "agent \"" + step.agent->id + "\" was not made within " +
                  std::to_string(settings_.limits.deadline.count()) +
                  " ms (limits.deadline_ms): its constructor has not returned, or no worker was free");
  error.at_agent(step.agent->id).at_node(settings_.self.text());
  std::exchange(step.done, nullptr)(std::move(error));
}

void Runtime::clone(std::string_view source, std::string as, const CallerPtr& caller, OnCreated on_created) {
  copy(source, std::move(as), caller,
       [this, on_created = std::move(on_created)](Result<protocol::AgentCreateParams> params) {
         if (!params) return on_created(params.error());
         create_copy(*std::move(params), on_created);
       });
}

void Runtime::create_copy(protocol::AgentCreateParams params, OnCreated on_created) {
  if (!params.agent.empty() && agents_.contains(params.agent)) {
    Error error(ErrorKind::conflict, "agent \"" + params.agent +
                                         "\" exists already; name another one with \"as\", or leave it out");
    return on_created(error.at_agent(params.agent).at_node(settings_.self.text()));
  }
  create(std::move(params), std::move(on_created));
}

void Runtime::copy(std::string_view source, std::string as, const CallerPtr& caller, OnCopied on_copied) {
  const auto found = find_agent(source);
  if (!found) return on_copied(found.error());
  const AgentPtr original(*found);
  // The copy must see what a call at its place would, so it is refused where such a call would be.
  if (auto checked = check_lane(*original, caller, {}); !checked) return on_copied(checked.error());
  if (auto checked = check_mailbox(*original); !checked) return on_copied(checked.error());
  auto saved = [original, as = std::move(as), on_copied = std::move(on_copied)](Result<Json> state) {
    if (!state) return on_copied(state.error());
    protocol::AgentCreateParams params;
    params.type = original->type->name;
    params.agent = as;
    params.name = original->own_name();
    params.args = original->args();
    if (original->settings) params.options = original->settings->options;
    params.options.claim.clear();
    params.options.state = state->is_null() ? "" : state->dump();
    on_copied(std::move(params));
  };
  const CallPtr step = add_step(*original, Call::Kind::save, caller, false, std::move(saved));
  // Whatever is before it in its lane, it waits no longer than a call would.
  start_deadline(*step, Clock::now() + settings_.limits.deadline);
}

CallPtr Runtime::save(HostedAgent& agent, Call::Done done) {
  if (agent.body && agent.type->execution == Execution::loop) {
    done(saved_state(*agent.body));
    return nullptr;
  }
  if (auto checked = check_mailbox(agent); !checked) {
    done(checked.error());
    return nullptr;
  }
  return add_step(agent, Call::Kind::save, nullptr, true, std::move(done));
}

void Runtime::drop_step(Call& step) {
  if (step.state != CallState::queued) return;
  // Perhaps only the mailbox holds it.
  const CallPtr keep(&step);
  step.state = CallState::cancelled;
  step.agent->mailbox.remove(step);
  step.done = nullptr;
}

CallPtr Runtime::add_step(HostedAgent& agent, Call::Kind kind, const CallerPtr& caller, bool first,
                          Call::Done done) {
  CallPtr step(new Call);
  step->agent = &agent;
  step->caller = caller;
  step->kind = kind;
  step->done = std::move(done);
  step->accepted = loop_.wall_now();
  // Nothing is done with an agent before it is made.
  const std::uint64_t first_seq = kind == Call::Kind::construct ? 0 : 1;
  step->seq = first ? first_seq : next_seq_++;
  agent.mailbox.add(*step, caller && agent.keeps_order());
  schedule(agent);
  return step;
}

Result<void> Runtime::remove(std::string_view id) {
  const auto found = find_agent(id);
  if (!found) return found.error();
  const AgentPtr agent(*found);
  retire(agent, deleted_error(*agent));
  return {};
}

void Runtime::retire(const AgentPtr& agent, const Error& why) {
  forget_agent(*agent);
  // One may settle another: what it has called, or who was waiting for it, is cancelled.
  for (const CallPtr& call : agent->mailbox.all()) {
    if (!call->is_settled()) settle_failed(*call, located(why, *call));
  }
  if (agent->running) {
    leaving_.insert(agent);
  } else {
    agent->body.reset();
  }
}

// The node.

Error Runtime::shutting_down() { return {ErrorKind::shutting_down, "this node is shutting down"}; }

bool Runtime::fail_unsettled(std::size_t most) {
  failing_ = true;
  std::vector<CallPtr> unsettled;
  Call* call = calls_in_order_.after(std::exchange(failed_up_to_, 0));
  for (; call && most > 0; call = call->next, --most) {
    if (call->next && most == 1) failed_up_to_ = call->seq;
    if (!call->is_settled()) unsettled.emplace_back(call);
  }
  // One may settle another, which it has called.
  for (const CallPtr& one : unsettled) {
    if (!one->is_settled()) settle_failed(*one, located(shutting_down(), *one));
  }
  return failed_up_to_ == 0;
}

std::vector<AgentPtr> Runtime::busy_agents() const {
  std::vector<AgentPtr> busy(leaving_.begin(), leaving_.end());
  for (HostedAgent* agent = agents_in_order_.first(); agent; agent = agent->next) {
    if (agent->running) busy.emplace_back(agent);
  }
  return busy;
}

bool Runtime::close(Clock::time_point until) {
  if (std::exchange(closed_, true)) return workers_->stop(until);
  draining_ = true;
  gate_->close();
  const std::vector<AgentPtr> busy = busy_agents();
  // No outcome reaches a worker any more: whoever waits for one is told so.
  for (const AgentPtr& agent : busy) {
    if (agent->running->running) agent->running->running->release_worker();
  }
  const bool all_back = workers_->stop(until);
  // Handles of coroutines go with their contexts, messages with their inputs: while all is still there.
  for (const AgentPtr& agent : busy) {
    if (agent->running->running) agent->running->running->abandon();
  }
  for (HostedAgent* agent = agents_in_order_.first(); agent; agent = agent->next) agent->mailbox.clear();
  resolutions_.clear();
  finished_.clear();
  tellings_.clear();
  expected_.clear();
  asked_.clear();
  refusals_.clear();
  refused_lanes_.clear();
  claim_waits_.clear();
  for (Call* call = calls_in_order_.first(); call; call = call->next) {
    call->dependents.clear();
    call->watches.clear();
    call->waiters.clear();
    call->timer.cancel();
  }
  if (all_back) forget_running();
  return all_back;
}

void Runtime::forget_running() {
  // A call and its agent hold each other while it runs.
  for (const AgentPtr& agent : busy_agents()) {
    agent->running->running.reset();
    agent->running.reset();
  }
  leaving_.clear();
}

}  // namespace agentd::runtime
