#include "common/protocol/param_errors.hpp"

#include <string>

#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/near.hpp"

namespace agentd::protocol {
namespace {

Error invalid(std::string message) { return {ErrorKind::invalid_params, std::move(message)}; }

std::string listed(std::span<const std::string_view> members) {
  if (members.empty()) return "no params";
  std::string text;
  for (const std::string_view member : members) {
    if (!text.empty()) text += ", ";
    text += member;
  }
  return text;
}

std::string of(std::string_view member, std::string_view owner) {
  return "param " + in_quotes(member) + " of " + std::string(owner);
}

}  // namespace

Error wrong_param(std::string_view owner, std::string_view member, std::string_view value,
                  std::string_view allowed) {
  return invalid(of(member, owner) + " is " + shown(value) + "; it takes " + std::string(allowed));
}

Error missing_param(std::string_view owner, std::string_view member, std::string_view allowed) {
  return invalid(of(member, owner) + " is missing; it takes " + std::string(allowed));
}

Error doubled_param(std::string_view owner, std::string_view member) {
  return {ErrorKind::invalid_request, of(member, owner) + " is given twice; give it once"};
}

Error unknown_param(const ParamOwner& owner, std::string_view key_token) {
  const std::string key = json::unquote(key_token);
  return invalid("unknown " + of(key, owner.name) + did_you_mean(near_names(key, owner.members)) +
                 "; it takes " + listed(owner.members));
}

Error params_not_by_name(std::string_view owner, std::string_view value) {
  return invalid("params of " + std::string(owner) + " go by name, in an object; these are " +
                 std::string(type_name(json::type_of(value))));
}

}  // namespace agentd::protocol
