#include "daemon/rpc/far_requests.hpp"

#include <utility>

#include "common/json/text.hpp"
#include "daemon/rpc/json_rpc_dispatcher.hpp"

namespace agentd::rpc {
namespace {

/// Of a member of the params that is a string.
std::optional<std::string> member(std::string_view params, std::string_view name) {
  if (params.empty() || json::type_of(params) != json::Type::object) return std::nullopt;
  for (json::Members members(params); members.next();) {
    if (!members.key_is(name)) continue;
    if (json::type_of(members.value()) != json::Type::string) return std::nullopt;
    return json::unquote(members.value());
  }
  return std::nullopt;
}

std::optional<CallId> call_in(std::string_view params) {
  const auto text = member(params, "call");
  return text ? CallId::parse(*text) : std::nullopt;
}

}  // namespace

FarCall far_call(const protocol::CallNotice& notice) {
  return {std::string(notice.agent), std::string(notice.method), notice.call, notice.deadline,
          input_of(notice)};
}

std::size_t bytes_of(const FarNotice& notice) {
  if (const auto* release = std::get_if<std::vector<CallId>>(&notice)) {
    return sizeof(FarNotice) + release->size() * sizeof(CallId);
  }
  const auto& call = std::get<FarCall>(notice);
  return sizeof(FarNotice) + call.agent.size() + call.method.size() + (call.input ? call.input->bytes() : 0);
}

FarInterests::~FarInterests() {
  for (auto& [shard, interest] : there_) {
    shards_.at(here_, shard,
               [interest = std::move(interest)](runtime::Runtime&) { interest->waits.reset(); });
  }
}

std::shared_ptr<FarInterest> FarInterests::add(std::size_t shard) {
  return there_.emplace_back(shard, std::make_shared<FarInterest>()).second;
}

std::optional<std::size_t> shard_of(runtime::Shards& shards, std::string_view method,
                                    std::string_view params) {
  if (method == "agent.call") {
    const auto agent = member(params, "agent");
    const auto call = call_in(params);
    if (agent) return shards.of_new_call(*agent, call.value_or(CallId()));
    return call ? std::optional(shards.of_call(*call)) : std::nullopt;
  }
  if (method == "agent.create" || method == "agent.get" || method == "agent.delete" ||
      method == "agent.clone") {
    const auto agent = member(params, "agent");
    return agent ? std::optional(shards.of_agent(*agent)) : std::nullopt;
  }
  if (method == "call.get" || method == "call.cancel") {
    const auto call = call_in(params);
    return call ? std::optional(shards.of_call(*call)) : std::nullopt;
  }
  return std::nullopt;
}

std::shared_ptr<FarChannel> far_channel(const MethodContext& context, ChannelWatcher& watcher,
                                        std::size_t shard) {
  auto& all = watcher.far();
  all.resize(context.siblings->count());
  const auto connection = watcher.channel();
  if (!all[shard]) {
    const FarChannel::Place place{*context.siblings, context.runtime.shard(), shard};
    all[shard] = std::make_shared<FarChannel>(place, context.siblings->shards().loop(shard), connection,
                                              watcher.connection(), watcher.far_traffic());
  }
  all[shard]->note(*connection);
  return all[shard];
}

PendingRequest pending(const MethodContext& context, const Request& request, std::size_t weight) {
  const auto channel = context.siblings && request.watcher ? request.watcher->channel() : nullptr;
  return channel ? PendingRequest(channel, weight) : PendingRequest();
}

void subscribe_everywhere(const MethodContext& context, const std::shared_ptr<ChannelWatcher>& watcher,
                          const std::vector<CallId>& calls, std::chrono::milliseconds grace) {
  auto parts = by_shard(*context.siblings, calls);
  const std::size_t here = context.runtime.shard();
  subscribe(context.runtime, watcher, parts[here], grace);
  for (std::size_t shard = 0; shard < parts.size(); ++shard) {
    if (shard == here || parts[shard].empty()) continue;
    const std::size_t bytes = parts[shard].size() * sizeof(CallId);
    watcher->channel()->requests_sent(bytes);
    context.siblings->at(here, shard,
                         [far = far_channel(context, *watcher, shard), calls = std::move(parts[shard]), grace,
                          bytes](JsonRpcDispatcher& there) {
                           there.subscribe_far(far, calls, grace);
                           far->done(bytes);
                         });
  }
}

}  // namespace agentd::rpc
