#include <charconv>

#include "common/json/append.hpp"
#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/longest_time.hpp"
#include "common/protocol/method_name.hpp"
#include "common/protocol/param_errors.hpp"
#include "common/protocol/param_reader.hpp"
#include "common/protocol/params.hpp"

namespace agentd::protocol {
namespace {

constexpr std::string_view owner = "agent.call";
constexpr std::string_view names[] = {"agent",   "method",  "input",   "call",   "deadline_ms",
                                      "wait_ms", "release", "settled", "caller", "path"};
enum Member : unsigned {
  agent,
  method,
  input,
  call,
  deadline_ms,
  wait_ms,
  release,
  settled,
  caller,
  path,
  none
};

constexpr std::size_t longest_path = 1024;
constexpr std::size_t longest_path_entry = 512;

constexpr std::string_view agent_form = "an agent id: 1 to 128 of A-Z a-z 0-9 . _ -";
constexpr std::string_view method_form = "a method's name: a string of 1 to 128 bytes";
constexpr std::string_view call_form = "a call id: 16 to 64 of A-Z a-z 0-9 _ -";
constexpr std::string_view settled_form = R"("value", "state" or "auto")";
constexpr std::string_view caller_form = "a caller id: 1 to 160 of A-Z a-z 0-9 . _ : / -";
constexpr std::string_view path_form = "a list of at most 1024 strings host:port/agent";
constexpr std::string_view deadline_form =
    "a whole number of milliseconds from 1 to 10000000000, without fraction or exponent";
constexpr std::string_view wait_form =
    "a whole number of milliseconds from 0 to 10000000000, without fraction or exponent";

Member member_named(std::string_view key) {
  const auto either = [key](Member member) { return key == names[member] ? member : none; };
  switch (key.size()) {
    case 4:
      return either(key[0] == 'c' ? call : path);
    case 5:
      return either(key[0] == 'a' ? agent : input);
    case 6:
      return either(key[0] == 'm' ? method : caller);
    case 7:
      return either(key[0] == 'w' ? wait_ms : key[0] == 'r' ? release : settled);
    case 11:
      return either(deadline_ms);
    default:
      return none;
  }
}

/// This one reader has no `ParamReader`: it runs for every call, and copies nothing that is written
/// without escapes.
class CallReader {
public:
  explicit CallReader(CallParams& read) : read_(read) {}

  /// False where something is wrong; `error()` then says what.
  bool run(std::string_view text, const json::Ends* ends) {
    if (!text.empty() && json::type_of(text) != json::Type::object && !is_empty_array(text)) {
      return refuse(params_not_by_name(owner, text));
    }
    for (json::Members members(text, ends); members.next();) {
      if (!take(members.key_token(), members.value())) return false;
    }
    return (seen_ & (1U << agent)) != 0 || refuse(missing_param(owner, "agent", agent_form));
  }

  [[nodiscard]] Error& error() { return *error_; }

private:
  static std::string_view inside(std::string_view token) { return token.substr(1, token.size() - 2); }

  static bool is_empty_array(std::string_view text) {
    return json::type_of(text) == json::Type::array && !json::Elements(text).next();
  }

  bool refuse(Error error) {
    error_ = std::move(error);
    return false;
  }

  bool wrong(Member member, std::string_view value, std::string_view allowed) {
    return refuse(wrong_param(owner, names[member], value, allowed));
  }

  bool take(std::string_view key_token, std::string_view value) {
    Member member = member_named(inside(key_token));
    if (member == none) {
      // Looked at again: the name may be written with escapes.
      std::string storage;
      member = member_named(json::unquote(key_token, storage));
    }
    if (member == none) return refuse(unknown_param({owner, names}, key_token));
    const unsigned bit = 1U << member;
    if ((seen_ & bit) != 0) return refuse(doubled_param(owner, names[member]));
    seen_ |= bit;
    return read(member, value);
  }

  bool read(Member member, std::string_view value) {
    switch (member) {
      case agent:
        return text(value, read_.agent, is_agent_id) || wrong(agent, value, agent_form);
      case method:
        return text(value, read_.method, is_method) || wrong(method, value, method_form);
      case caller:
        return text(value, read_.caller, is_caller_id) || wrong(caller, value, caller_form);
      case call:
        return call_id(value) || wrong(call, value, call_form);
      case input:
        read_.input = value;
        return true;
      case deadline_ms:
        return milliseconds(value, 1, read_.deadline) || wrong(member, value, deadline_form);
      case wait_ms:
        return milliseconds(value, 0, read_.wait) || wrong(member, value, wait_form);
      case release:
        return boolean(value) || wrong(release, value, "true or false");
      case settled:
        return settled_mode(value) || wrong(settled, value, settled_form);
      case path:
        return path_entries(value) || wrong(path, value, path_form);
      case none:
        break;
    }
    return false;
  }

  bool text(std::string_view token, std::string_view& into, bool (*fits)(std::string_view)) {
    if (token.front() != '"') return false;
    std::string unescaped;
    into = json::unquote(token, unescaped);
    if (!unescaped.empty()) {
      // Short strings live inside the vector's block, and views into them: it must not grow.
      read_.storage.reserve(3);
      into = read_.storage.emplace_back(std::move(unescaped));
    }
    return fits(into);
  }

  bool call_id(std::string_view token) {
    if (token.front() != '"') return false;
    auto id = CallId::parse(inside(token));
    if (!id) id = CallId::parse(json::unquote(token));
    if (id) read_.call = *id;
    return id.has_value();
  }

  static bool milliseconds(std::string_view value, std::int64_t least, std::optional<Milliseconds>& into) {
    const auto number = integer_of(value);
    if (!number || *number < least || *number > max_milliseconds) return false;
    into = Milliseconds(*number);
    return true;
  }

  bool boolean(std::string_view value) {
    read_.release = value == "true";
    return read_.release || value == "false";
  }

  bool settled_mode(std::string_view token) {
    if (json::token_is(token, "auto")) {
      read_.settled = SettledMode::automatic;
    } else if (json::token_is(token, "state")) {
      read_.settled = SettledMode::state;
    } else {
      return json::token_is(token, "value");
    }
    return true;
  }

  bool path_entries(std::string_view value) {
    if (value.front() != '[') return false;
    for (json::Elements elements(value); elements.next();) {
      if (elements.value().front() != '"' || read_.path.size() == longest_path) return false;
      const std::string& entry = read_.path.emplace_back(json::unquote(elements.value()));
      if (entry.size() > longest_path_entry || has_control(entry) || !names_an_agent(entry)) return false;
    }
    return true;
  }

  static bool names_an_agent(std::string_view entry) {
    const std::size_t slash = entry.rfind('/');
    return slash != std::string_view::npos && is_agent_id(entry.substr(slash + 1));
  }

  CallParams& read_;
  unsigned seen_ = 0;
  std::optional<Error> error_;
};

void append_member(std::string& out, std::string_view name, std::string_view text) {
  json::append_all(out, ",\"", name, "\":");
  json::append_string(out, text);
}

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_path(std::string& out, const std::vector<std::string>& entries) {
  out += ",\"path\":[";
  for (const std::string& entry : entries) {
    if (&entry != &entries.front()) out += ',';
    json::append_string(out, entry);
  }
  out += ']';
}

}  // namespace

Result<CallParams> read_call_params(std::string_view params, const json::Ends* ends) {
  Result<CallParams> read{boost::system::in_place_value};
  CallReader reader(*read);
  // One variable is returned, so that nothing is moved.
  if (!reader.run(params, ends)) read = Result<CallParams>(std::move(reader.error()));
  return read;
}

void append_call_params(std::string& out, const OutgoingCall& outgoing) {
  if (is_agent_id(outgoing.agent)) {
    json::append_all(out, R"({"agent":")", outgoing.agent, "\"");
  } else {
    out += R"({"agent":)";
    json::append_string(out, outgoing.agent);
  }
  if (outgoing.method != "reply") append_member(out, "method", outgoing.method);
  if (!outgoing.call.empty()) json::append_all(out, R"(,"call":")", outgoing.call, "\"");
  if (outgoing.deadline) {
    out += ",\"deadline_ms\":";
    append_number(out, outgoing.deadline->count());
  }
  if (outgoing.settled == SettledMode::state) out += R"(,"settled":"state")";
  if (outgoing.settled == SettledMode::automatic) out += R"(,"settled":"auto")";
  if (!outgoing.caller.empty()) append_member(out, "caller", outgoing.caller);
  if (outgoing.path != nullptr && !outgoing.path->empty()) append_path(out, *outgoing.path);
  if (!outgoing.input.empty()) {
    json::append_all(out, R"(,"input":)", outgoing.input);
  }
  out += '}';
}

}  // namespace agentd::protocol
