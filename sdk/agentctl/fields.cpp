#include "sdk/agentctl/fields.hpp"

#include <algorithm>

#include "common/json/text.hpp"
#include "common/protocol/envelope.hpp"
#include "sdk/agentctl/output.hpp"
#include "sdk/agentctl/table.hpp"

namespace agentd::ctl {
namespace {

bool is_object(std::string_view value) {
  return !value.empty() && json::type_of(value) == json::Type::object;
}

/// Lines under the first one, moved to the right.
std::string indented(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
    text.insert(at + 1, "  ");
  return text;
}

}  // namespace

std::string shown(std::string_view value) {
  if (value.empty() || json::type_of(value) == json::Type::null) return "-";
  if (json::type_of(value) != json::Type::string) return printable(value);
  return printable(json::unquote(value));
}

std::string unquoted(std::string_view token) { return json::unquote(token); }

std::string_view member(std::string_view object, std::string_view name) {
  if (!is_object(object)) return {};
  for (json::Members members(object); members.next();) {
    if (members.key_is(name)) return members.value();
  }
  return {};
}

std::string shown_member(std::string_view object, std::string_view name) {
  return shown(member(object, name));
}

std::vector<std::string_view> elements(std::string_view array) {
  std::vector<std::string_view> found;
  if (array.empty() || json::type_of(array) != json::Type::array) return found;
  for (json::Elements each(array); each.next();) found.push_back(each.value());
  return found;
}

std::string record(std::string_view object, const std::vector<std::string_view>& open) {
  Table table({});
  std::string error;
  if (!is_object(object)) return shown(object) + '\n';
  for (json::Members members(object); members.next();) {
    const std::string name = printable(json::unquote(members.key_token()));
    if (name == "error" && is_object(members.value())) {
      error = "error  " + indented(describe(protocol::read_error(members.value()))) + '\n';
    } else if (is_object(members.value()) && std::find(open.begin(), open.end(), name) != open.end()) {
      for (json::Members inner(members.value()); inner.next();) {
        table.add({name + '.' + printable(json::unquote(inner.key_token())), shown(inner.value())});
      }
    } else {
      table.add({name, shown(members.value())});
    }
  }
  return table.text(false) + error;
}

std::string json_string(std::string_view text) {
  std::string out;
  if (!text.empty()) json::append_string(out, text);
  return out;
}

std::string object(const std::vector<Param>& members) {
  std::string out = "{";
  for (const Param& param : members) {
    if (param.value.empty()) continue;
    if (out.size() > 1) out += ',';
    json::append_string(out, param.name);
    out += ':';
    out += param.value;
  }
  return out += '}';
}

}  // namespace agentd::ctl
