#include "daemon/rpc/openrpc.hpp"

#include <array>

#include "daemon/rpc/methods.hpp"

namespace agentd::rpc {
namespace {

Json param_of(const ParamInfo& param) {
  return {{"name", param.name}, {"required", param.required}, {"schema", Json::parse(param.schema)}};
}

Json method_of(const MethodInfo& method) {
  Json params = Json::array();
  for (const ParamInfo& param : method.params) params.push_back(param_of(param));
  return {{"name", method.name},
          {"summary", method.summary},
          {"paramStructure", "by-name"},
          {"params", std::move(params)},
          {"result", {{"name", "result"}, {"schema", Json::parse(method.result)}}},
          {"errors", Json::array({{{"$ref", "#/components/errors/agentd"}}})}};
}

}  // namespace

std::string openrpc_document(const NodeFacts& facts) {
  Json methods = Json::array();
  for (const MethodInfo& method : method_table()) methods.push_back(method_of(method));
  const Json document{
      {"openrpc", "1.3.2"},
      {"info",
       {{"title", "agentd"},
        {"version", facts.version},
        {"description", "Hosts agents: actors with state, which take a message and answer with a message."},
        {"license", {{"name", "Apache-2.0"}}}}},
      {"servers", Json::array({{{"name", "this node"}, {"url", "http://" + facts.address.text() + "/rpc"}}})},
      {"methods", std::move(methods)},
      {"components",
       {{"errors",
         {{"agentd",
           {{"code", static_cast<int>(ErrorKind::agent_failed)},
            {"message", "What went wrong, for people; data.kind tells programs"}}}}}}}};
  return document.dump();
}

}  // namespace agentd::rpc
