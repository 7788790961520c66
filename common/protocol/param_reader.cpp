#include "common/protocol/param_reader.hpp"

#include <cassert>

#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/name.hpp"

namespace agentd::protocol {
namespace {

bool is_absent(std::string_view text) {
  if (text.empty()) return true;
  return json::type_of(text) == json::Type::array && !json::Elements(text).next();
}

}  // namespace

ParamReader::ParamReader(const ParamOwner& owner, std::string_view text) : owner_(owner) {
  assert(owner.members.size() <= max_members);
  if (is_absent(text)) return;
  if (json::type_of(text) != json::Type::object) refuse(params_not_by_name(owner.name, text));
  for (json::Members members(text); members.next() && !failed();) take(members.key_token(), members.value());
}

void ParamReader::take(std::string_view key_token, std::string_view value) {
  for (std::size_t i = 0; i < owner_.members.size(); ++i) {
    if (!json::token_is(key_token, owner_.members[i])) continue;
    if (!values_[i].empty()) return refuse(doubled_param(owner_.name, owner_.members[i]));
    values_[i] = value;
    return;
  }
  refuse(unknown_param(owner_, key_token));
}

std::size_t ParamReader::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < owner_.members.size(); ++i) {
    if (owner_.members[i] == name) return i;
  }
  assert(false && "a member that was not announced");
  return 0;
}

std::string_view ParamReader::raw(std::string_view name) const { return values_[index_of(name)]; }

void ParamReader::refuse(Error error) {
  if (!error_) error_ = std::move(error);
}

void ParamReader::refuse(std::string_view name, std::string_view allowed) {
  refuse(wrong_param(owner_.name, name, raw(name), allowed));
}

bool ParamReader::given(std::string_view name, std::string_view allowed, Need need) {
  if (failed()) return false;
  if (!raw(name).empty()) return true;
  if (need == Need::required) refuse(missing_param(owner_.name, name, allowed));
  return false;
}

std::string ParamReader::string(std::string_view name, std::string_view allowed,
                                bool (*fits)(std::string_view), Need need) {
  if (!given(name, allowed, need)) return {};
  const std::string_view token = raw(name);
  if (json::type_of(token) == json::Type::string) {
    std::string text = json::unquote(token);
    if (fits(text)) return text;
  }
  refuse(name, allowed);
  return {};
}

std::string ParamReader::name(std::string_view name, Need need) {
  return string(name, "a string of 1 to 256 bytes without control characters", is_name, need);
}

std::string ParamReader::agent_id(std::string_view name, Need need) {
  return string(name, "an agent id: 1 to 128 of A-Z a-z 0-9 . _ -", is_agent_id, need);
}

CallId ParamReader::call_id(std::string_view name) {
  const auto fits = [](std::string_view text) { return CallId::parse(text).has_value(); };
  const std::string text = string(name, "a call id: 16 to 64 of A-Z a-z 0-9 _ -", fits, Need::required);
  return CallId::parse(text).value_or(CallId());
}

std::optional<std::int64_t> ParamReader::integer(std::string_view name, std::int64_t least, std::int64_t most,
                                                 std::string_view unit, Need need) {
  const std::string allowed = "a whole number" + std::string(unit) + " from " + std::to_string(least) +
                              " to " + std::to_string(most) + ", without fraction or exponent";
  if (!given(name, allowed, need)) return std::nullopt;
  const std::optional<std::int64_t> number = integer_of(raw(name));
  if (number && *number >= least && *number <= most) return number;
  refuse(name, allowed);
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> ParamReader::milliseconds(std::string_view name,
                                                                   std::int64_t least) {
  const auto number = integer(name, least, max_milliseconds, " of milliseconds");
  if (!number) return std::nullopt;
  return std::chrono::milliseconds(*number);
}

std::string ParamReader::object(std::string_view name) {
  if (!given(name, "an object", Need::optional)) return {};
  if (json::type_of(raw(name)) == json::Type::object) return std::string(raw(name));
  refuse(name, "an object");
  return {};
}

std::string_view ParamReader::array(std::string_view name, std::string_view allowed) {
  if (!given(name, allowed, Need::required)) return {};
  if (json::type_of(raw(name)) == json::Type::array) return raw(name);
  refuse(name, allowed);
  return {};
}

}  // namespace agentd::protocol
