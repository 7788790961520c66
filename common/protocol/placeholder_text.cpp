#include <charconv>

#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/placeholder_text.hpp"
#include "common/vocabulary/letters.hpp"

namespace agentd::protocol {
namespace {

constexpr std::size_t longest_host = 253;

struct Members {
  std::string_view host;
  std::string_view port;
  std::string_view call;
};

Error malformed(const std::string& what) {
  return {ErrorKind::invalid_params,
          R"(a placeholder is {"$placeholder": {"host": …, "port": …, "call": …}}; )" + what};
}

Result<Members> members_of(std::string_view text) {
  if (json::type_of(text) != json::Type::object) return malformed("this one has " + shown(text));
  Members read;
  for (json::Members members(text); members.next();) {
    std::string_view* const slot = members.key_is("host")   ? &read.host
                                   : members.key_is("port") ? &read.port
                                   : members.key_is("call") ? &read.call
                                                            : nullptr;
    const std::string key = slot == nullptr || !slot->empty() ? json::unquote(members.key_token()) : "";
    if (slot == nullptr) return malformed("this one also has " + in_quotes(key));
    if (!slot->empty()) return malformed("this one has " + in_quotes(key) + " twice");
    *slot = members.value();
  }
  return read;
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > longest_host || has_control(host)) return false;
  return host.find_first_of(" /[]") == std::string_view::npos;
}

std::string string_of(std::string_view token) {
  return json::type_of(token) == json::Type::string ? json::unquote(token) : std::string();
}

std::string given(std::string_view name, std::string_view value) {
  const std::string text = in_quotes(name);
  return value.empty() ? text + " is missing" : text + " is " + shown(value);
}

}  // namespace

Result<Placeholder> read_placeholder_body(std::string_view text) {
  const Result<Members> members = members_of(text);
  if (!members) return members.error();
  Placeholder placeholder;
  placeholder.node.host = detail::lower_case(string_of(members->host));
  if (!is_host(placeholder.node.host)) {
    return malformed(given("host", members->host) + ", and takes a name or an address, without brackets");
  }
  const auto port = integer_of(members->port);
  if (!port || *port < 1 || *port > 65535) {
    return malformed(given("port", members->port) + ", and takes a whole number from 1 to 65535");
  }
  placeholder.node.port = static_cast<std::uint16_t>(*port);
  const auto call = CallId::parse(string_of(members->call));
  if (!call) return malformed(given("call", members->call) + ", and takes 16 to 64 of A-Z a-z 0-9 _ -");
  placeholder.call = *call;
  return placeholder;
}

Result<Placeholder> read_placeholder(std::string_view text) {
  if (json::type_of(text) == json::Type::object) {
    json::Members members(text);
    if (members.next() && members.key_is("$placeholder")) {
      const std::string_view body = members.value();
      if (members.next())
        return malformed("this one also has " + in_quotes(json::unquote(members.key_token())));
      return read_placeholder_body(body);
    }
  }
  return malformed("this is " + shown(text));
}

void append_placeholder(std::string& out, const Placeholder& placeholder) {
  char digits[8];
  const char* const end = std::to_chars(digits, digits + sizeof digits, placeholder.node.port).ptr;
  out += R"({"$placeholder":{"host":)";
  json::append_string(out, placeholder.node.host);
  out += R"(,"port":)";
  out.append(digits, static_cast<std::size_t>(end - digits));
  out += R"(,"call":")";
  out += placeholder.call.text();
  out += "\"}}";
}

}  // namespace agentd::protocol
