#include "daemon/runtime/type_table.hpp"

#include <vector>

#include "common/protocol/near.hpp"

namespace agentd::runtime {
namespace {

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + '"';
  return text;
}

}  // namespace

Result<void> TypeTable::add(AgentType type) {
  if (!is_agent_id(type.name)) {
    return Error(ErrorKind::invalid_params,
                 "\"" + type.name + "\" cannot name an agent type: use 1 to 128 of A-Z a-z 0-9 . _ -");
  }
  if (const auto there = types_.find(type.name); there != types_.end()) {
    return Error(ErrorKind::conflict, "two agent types are named \"" + type.name + "\": one is " +
                                          there->second->source + ", the other " + type.source);
  }
  std::string name = type.name;
  types_.emplace(std::move(name), std::make_unique<const AgentType>(std::move(type)));
  return {};
}

Result<const AgentType*> TypeTable::find(std::string_view name) const {
  if (const auto found = types_.find(name); found != types_.end()) return found->second.get();
  std::vector<std::string> names;
  names.reserve(types_.size());
  for (const auto& [known, type] : types_) names.push_back(known);
  const auto near = protocol::near_names(name, names);
  Error error(ErrorKind::type_not_found,
              "there is no agent type \"" + std::string(name) + "\" here; " +
                  (near.empty() ? "type.list shows those there are" : "near it: " + quoted_list(near)));
  error.with("near", near);
  return error;
}

}  // namespace agentd::runtime
