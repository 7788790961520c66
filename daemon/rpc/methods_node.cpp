#include <unistd.h>

#include "daemon/rpc/methods.hpp"

namespace agentd::rpc {
namespace {

Json limits_of(const runtime::Limits& limits) {
  return {{"agents", limits.agents},
          {"calls", limits.calls},
          {"mailbox", limits.mailbox},
          {"input", limits.input},
          {"running_inputs", limits.running_inputs},
          {"batch", limits.batch},
          {"waits", limits.waits},
          {"expected", limits.expected},
          {"outcomes", limits.outcomes},
          {"outcome_size", limits.outcome_size},
          {"tombstones", limits.tombstones},
          {"deadline_ms", limits.deadline.count()},
          {"outcome_ttl_ms", limits.outcome_ttl.count()}};
}

Json type_of(const AgentType& type) {
  Json methods = Json::array();
  for (const auto& [name, method] : type.methods) methods.push_back(name);
  return {{"type", type.name},
          {"description", type.description},
          {"args_schema", type.args_schema},
          {"methods", std::move(methods)},
          {"idempotent", type.idempotent},
          {"source", type.source}};
}

/// True where the params are as they should be; otherwise the error has been answered.
template <typename T>
bool good(const Result<T>& params, Request& request) {
  if (!params) request.reply.error(params.error());
  return params.has_value();
}

}  // namespace

void node_info(MethodContext& context, Request& request) {
  if (!good(protocol::read_no_params(request.params, "node.info"), request)) return;
  const runtime::Runtime& runtime = context.runtime;
  const runtime::Totals totals = runtime.totals();
  const NodeFacts& facts = context.facts;
  Json types = Json::array();
  for (const auto& [name, type] : runtime.types().all()) types.push_back(name);
  const auto uptime = std::chrono::steady_clock::now() - facts.started;
  const Json info{
      {"name", facts.name},
      {"version", facts.version},
      {"host", facts.address.host},
      {"port", facts.address.port},
      {"pid", ::getpid()},
      {"boot", facts.boot},
      {"durability", "off"},
      {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()},
      {"ready", !runtime.draining()},
      {"agents", totals.agents},
      {"calls",
       {{"pending", totals.pending()}, {"running", totals.running_unsettled}, {"settled", totals.settled()}}},
      {"types", std::move(types)},
      {"limits", limits_of(runtime.limits())}};
  request.reply.result(info.dump());
}

void node_drain(MethodContext& context, Request& request) {
  if (!good(protocol::read_no_params(request.params, "node.drain"), request)) return;
  context.node.drain();
  request.reply.result("{}");
}

void node_stop(MethodContext& context, Request& request) {
  const auto params = protocol::read_stop_params(request.params);
  if (!good(params, request)) return;
  request.reply.result("{}");
  context.node.stop(params->grace);
}

void type_list(MethodContext& context, Request& request) {
  if (!good(protocol::read_no_params(request.params, "type.list"), request)) return;
  Json types = Json::array();
  for (const auto& [name, type] : context.runtime.types().all()) types.push_back(type_of(*type));
  request.reply.result(Json{{"types", std::move(types)}}.dump());
}

void rpc_discover(MethodContext& context, Request& request) {
  if (!good(protocol::read_no_params(request.params, "rpc.discover"), request)) return;
  request.reply.result(context.openrpc);
}

}  // namespace agentd::rpc
