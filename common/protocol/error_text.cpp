#include <algorithm>
#include <array>

#include "common/protocol/describe.hpp"
#include "common/protocol/envelope.hpp"

namespace agentd::protocol {
namespace {

/// Deeper than any checked frame: the recursion ends, whatever it is given.
constexpr unsigned deepest = 128;
constexpr std::size_t longest_id = 512;

constexpr std::array<std::string_view, 7> own_members = {"kind", "retryable", "call",  "agent",
                                                         "node", "cause",     "elided"};

bool is_own(std::string_view member) {
  return std::find(own_members.begin(), own_members.end(), member) != own_members.end();
}

void append_text(std::string& out, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  out += ",\"";
  out += name;
  out += "\":";
  json::append_string(out, text);
}

void append_details(std::string& out, const Json& details) {
  if (!details.is_object()) return;
  for (const auto& [name, value] : details.items()) {
    if (is_own(name)) continue;
    out += ',';
    json::append_string(out, name);
    out += ':';
    out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

bool is_known_code(std::int64_t code) {
  return code == -32700 || (code >= -32603 && code <= -32600) || (code >= -32026 && code <= -32010);
}

std::string string_of(std::string_view value) {
  return json::type_of(value) == json::Type::string ? json::unquote(value) : std::string();
}

/// Where an error happened: whatever another server says there, it stays short.
std::string place_of(std::string_view value) {
  std::string text = string_of(value);
  if (text.size() > longest_id) text.clear();
  return text;
}

Json opened(std::string_view value) {
  Json json = Json::parse(value.begin(), value.end(), nullptr, false);
  return json.is_discarded() ? Json() : json;
}

struct Members {
  std::string_view code;
  std::string_view message;
  std::string_view data;
};

Members members_of(std::string_view text) {
  Members read;
  for (json::Members members(text); members.next();) {
    if (members.key_is("code")) read.code = members.value();
    if (members.key_is("message")) read.message = members.value();
    if (members.key_is("data")) read.data = members.value();
  }
  return read;
}

std::string kind_text(std::string_view data) {
  for (json::Members members(data); members.next();) {
    if (members.key_is("kind")) return string_of(members.value());
  }
  return {};
}

ErrorKind kind_of(std::string_view kind, std::optional<std::int64_t> code) {
  const ErrorKind named = kind_from_name(kind);
  if (kind_name(named) == kind) return named;
  if (code && is_known_code(*code)) return static_cast<ErrorKind>(*code);
  return ErrorKind::internal;
}

Error read_at(std::string_view text, unsigned depth);

void read_data_member(Error& error, std::string_view name, std::string_view value, unsigned depth) {
  if (name == "call") {
    error.at_call(place_of(value));
  } else if (name == "agent") {
    error.at_agent(place_of(value));
  } else if (name == "node") {
    error.at_node(place_of(value));
  } else if (name == "cause") {
    if (json::type_of(value) == json::Type::object) error.because(read_at(value, depth + 1));
  } else if (!is_own(name)) {
    error.with(name, opened(value));
  }
}

/// Set last: `because` may count links of its own.
void read_elided(Error& error, std::string_view data) {
  for (json::Members members(data); members.next();) {
    if (!members.key_is("elided")) continue;
    const auto links = integer_of(members.value());
    if (links && *links > 0 && *links <= 1'000'000) {
      error.with_elided(error.elided() + static_cast<unsigned>(*links));
    }
  }
}

Error read_at(std::string_view text, unsigned depth) {
  if (depth > deepest) return {ErrorKind::internal, "an error with too many causes"};
  const Members read = members_of(text);
  const auto code = integer_of(read.code);
  const bool structured = json::type_of(read.data) == json::Type::object;
  const bool says_why = json::type_of(read.message) == json::Type::string;
  std::string message = says_why ? string_of(read.message) : "an error without a message: " + shown(text);
  Error error(kind_of(structured ? kind_text(read.data) : std::string(), code), std::move(message));
  if (code && !is_known_code(*code)) error.with("code", *code);
  if (!structured) {
    if (json::type_of(read.data) != json::Type::null) error.with("data", opened(read.data));
    return error;
  }
  std::string storage;
  for (json::Members members(read.data); members.next();) {
    read_data_member(error, json::unquote(members.key_token(), storage), members.value(), depth);
  }
  read_elided(error, read.data);
  return error;
}

}  // namespace

void append_error(std::string& out, const Error& error) {
  out += "{\"code\":";
  out += std::to_string(error.code());
  out += ",\"message\":";
  json::append_string(out, error.message());
  out += ",\"data\":{\"kind\":\"";
  out += kind_name(error.kind());
  out += error.retryable() ? "\",\"retryable\":true" : "\",\"retryable\":false";
  append_text(out, "call", error.call());
  append_text(out, "agent", error.agent());
  append_text(out, "node", error.node());
  if (error.cause() != nullptr) {
    out += ",\"cause\":";
    append_error(out, *error.cause());
  }
  if (error.elided() > 0) out += ",\"elided\":" + std::to_string(error.elided());
  append_details(out, error.details());
  out += "}}";
}

Error read_error(std::string_view text) { return read_at(text, 0); }

}  // namespace agentd::protocol
