#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <agentd/agent_ref.hpp>
#include <agentd/json.hpp>

namespace agentd::agents {

/// The arguments of one agent, read strictly: what is unknown, missing or of the wrong kind throws
/// `Error` (`invalid_params`) with the argument's name, its value, and what would be right.
///
/// Refers to the type's name and to the JSON: used inside a constructor only.
class Args {
public:
  Args(std::string_view type, const Json& args, std::initializer_list<std::string_view> takes);

  /// Null where the argument is not given.
  [[nodiscard]] const Json* find(std::string_view name) const;
  /// `right` says what the argument takes, for whoever left it out.
  [[nodiscard]] const Json& need(std::string_view name, std::string_view right) const;

  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] AgentRef agent(std::string_view name) const;
  [[nodiscard]] double number_from_zero(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t least, std::int64_t most) const;

private:
  [[noreturn]] void wrong(std::string_view name, const Json& value, std::string_view right) const;

  std::string_view type_;
  const Json& args_;
};

/// The schema of such arguments: an object of these properties, and of no others.
[[nodiscard]] Json args_schema(Json properties, Json required = Json::array());

/// A value for an error's text: its JSON, cut where it is long.
[[nodiscard]] std::string shown(const Json& value);
[[nodiscard]] std::string shown(std::string_view json_text);

}  // namespace agentd::agents
