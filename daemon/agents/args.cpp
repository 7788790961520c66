#include "daemon/agents/args.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include <agentd/error.hpp>

namespace agentd::agents {
namespace {

constexpr std::size_t longest_shown = 120;

std::string listed(std::initializer_list<std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text.empty() ? "no args" : text;
}

std::optional<std::int64_t> integer_of(const Json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<std::int64_t>();
}

}  // namespace

Args::Args(std::string_view type, const Json& args, std::initializer_list<std::string_view> takes)
    : type_(type), args_(args) {
  if (args.is_null()) return;
  if (!args.is_object()) {
    throw Error(ErrorKind::invalid_params,
                "the args of " + std::string(type) + " are an object, not " + shown(args));
  }
  for (const auto& [name, value] : args.items()) {
    if (std::find(takes.begin(), takes.end(), name) != takes.end()) continue;
    throw Error(ErrorKind::invalid_params, "unknown arg " + shown(Json(name)) + " of " + std::string(type) +
                                               "; it takes " + listed(takes));
  }
}

const Json* Args::find(std::string_view name) const {
  const auto found = args_.find(name);
  return found == args_.end() ? nullptr : &*found;
}

const Json& Args::need(std::string_view name, std::string_view right) const {
  if (const Json* value = find(name)) return *value;
  throw Error(ErrorKind::invalid_params,
              std::string(type_) + " needs the arg \"" + std::string(name) + "\": " + std::string(right));
}

std::string Args::text(std::string_view name) const {
  constexpr std::string_view right = "a string";
  const Json& value = need(name, right);
  if (!value.is_string()) wrong(name, value, right);
  return value.get<std::string>();
}

AgentRef Args::agent(std::string_view name) const {
  constexpr std::string_view right =
      R"(an agent, {"$agent":{"host":"127.0.0.1","port":12001,"agent":"some-id"}}, with a port up to 65535)";
  const Json& value = need(name, right);
  try {
    const AgentRef agent = value.get<AgentRef>();
    // An empty host is an agent of this node.
    const NodeAddress& node = agent.address().node;
    if (value.size() == 1 && value.at("$agent").size() == 3 && (node.port != 0 || node.host.empty()))
      return agent;
  } catch (const Error&) {
    // Said below, with what would be right.
  }
  wrong(name, value, right);
}

double Args::number_from_zero(std::string_view name) const {
  constexpr std::string_view right = "a number, 0 or more";
  const Json& value = need(name, right);
  if (!value.is_number() || value.get<double>() < 0) wrong(name, value, right);
  return value.get<double>();
}

std::int64_t Args::integer(std::string_view name, std::int64_t least, std::int64_t most) const {
  const std::string right = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  const Json& value = need(name, right);
  const auto number = integer_of(value);
  if (!number || *number < least || *number > most) wrong(name, value, right);
  return *number;
}

void Args::wrong(std::string_view name, const Json& value, std::string_view right) const {
  throw Error(ErrorKind::invalid_params, "arg \"" + std::string(name) + "\" of " + std::string(type_) +
                                             " is " + shown(value) + "; it takes " + std::string(right));
}

Json args_schema(Json properties, Json required) {
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

std::string shown(const Json& value) {
  return shown(std::string_view(value.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

std::string shown(std::string_view json_text) {
  if (json_text.size() <= longest_shown) return std::string(json_text);
  std::size_t end = longest_shown;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(json_text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(json_text.substr(0, end)) + "...";
}

}  // namespace agentd::agents
