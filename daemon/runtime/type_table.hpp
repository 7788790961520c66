#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <agentd/agent.hpp>

#include "common/protocol/result.hpp"

namespace agentd::runtime {

/// The agent types of one node, by name. Filled before the node starts, then only read.
class TypeTable {
public:
  /// Fails with `conflict` for a name that is taken, and with `invalid_params` for one that is no
  /// agent id.
  [[nodiscard]] Result<void> add(AgentType type);
  /// Fails with `type_not_found`, listing near names.
  [[nodiscard]] Result<const AgentType*> find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::unique_ptr<const AgentType>, std::less<>>& all() const {
    return types_;
  }

private:
  std::map<std::string, std::unique_ptr<const AgentType>, std::less<>> types_;
};

}  // namespace agentd::runtime
