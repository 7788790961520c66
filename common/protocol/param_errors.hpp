#pragma once

#include <span>
#include <string_view>

#include <agentd/error.hpp>

/// What readers of params say when they refuse some. Inside this room only.
namespace agentd::protocol {

/// Whose members are read: a method (`agent.call`), or a part of its params (`options`).
struct ParamOwner {
  std::string_view name;
  std::span<const std::string_view> members;
};

/// @param allowed what would be right: `a whole number of milliseconds from 1 to …`
[[nodiscard]] Error wrong_param(std::string_view owner, std::string_view member, std::string_view value,
                                std::string_view allowed);
[[nodiscard]] Error missing_param(std::string_view owner, std::string_view member, std::string_view allowed);
[[nodiscard]] Error doubled_param(std::string_view owner, std::string_view member);
[[nodiscard]] Error unknown_param(const ParamOwner& owner, std::string_view key_token);
/// Params that are no object: `value` is an array that is not empty, or something else.
[[nodiscard]] Error params_not_by_name(std::string_view owner, std::string_view value);

}  // namespace agentd::protocol
