#include "common/protocol/params.hpp"

#include <unordered_set>

#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/param_reader.hpp"

namespace agentd::protocol {
namespace {

using Names = std::string_view;

constexpr std::int64_t most_at_once = 10'000'000;
constexpr std::int64_t largest_mailbox = 1'000'000;
constexpr std::int64_t longest_page = 1000;

/// What is kept and handed back as JSON must fit into an answer's envelope.
void limit_depth(ParamReader& params, std::string_view name) {
  if (params.failed() || json::depth_of(params.raw(name)) <= json::max_content_depth) return;
  params.refuse(Error(ErrorKind::parse_error, "param " + in_quotes(name) + " is nested deeper than " +
                                                  std::to_string(json::max_content_depth)));
}

std::optional<Ordering> ordering_of(std::string_view text) {
  if (text == "caller") return Ordering::caller;
  if (text == "ready") return Ordering::ready;
  return std::nullopt;
}

AgentOptions read_options(ParamReader& params) {
  static constexpr Names names[] = {"ordering", "deadline_ms", "mailbox", "state", "claim"};
  AgentOptions read;
  const std::string text = params.object("options");
  if (text.empty()) return read;
  ParamReader options({"options", names}, text);
  const auto is_ordering = [](std::string_view value) { return ordering_of(value).has_value(); };
  const std::string ordering = options.string("ordering", R"("caller" or "ready")", is_ordering);
  read.ordering = ordering_of(ordering).value_or(Ordering::caller);
  read.deadline = options.milliseconds("deadline_ms", 1);
  if (const auto mailbox = options.integer("mailbox", 1, largest_mailbox, " of calls")) {
    read.mailbox = static_cast<std::uint32_t>(*mailbox);
  }
  read.state = options.raw("state");
  limit_depth(options, "state");
  read.claim = options.agent_id("claim");
  if (options.failed()) params.refuse(std::move(options.error()));
  return read;
}

bool is_container(std::string_view text) {
  const json::Type type = json::type_of(text);
  return type == json::Type::object || type == json::Type::array;
}

/// The name, as a token, that some object within the text gives two members; empty where none does.
std::string_view doubled_name(std::string_view text) {
  std::vector<std::string_view> left{text};
  const auto look_into = [&left](std::string_view value) {
    if (is_container(value)) left.push_back(value);
  };
  std::unordered_set<std::string> names;
  while (!left.empty()) {
    const std::string_view container = left.back();
    left.pop_back();
    if (json::type_of(container) == json::Type::array) {
      for (json::Elements elements(container); elements.next();) look_into(elements.value());
      continue;
    }
    names.clear();
    for (json::Members members(container); members.next();) {
      if (!names.insert(json::unquote(members.key_token())).second) return members.key_token();
      look_into(members.value());
    }
  }
  return {};
}

std::string read_args(ParamReader& params) {
  std::string args = params.object("args");
  limit_depth(params, "args");
  if (!params.failed() && !args.empty()) {
    // The agent would be given the last of them, and nobody would know of the others.
    const std::string_view doubled = doubled_name(args);
    if (!doubled.empty()) {
      params.refuse(
          Error(ErrorKind::invalid_params, "param \"args\" has a member " + shown(doubled) + " twice"));
    }
  }
  return args.empty() ? "{}" : args;
}

/// The last of the ids must be one; the others are no longer.
void check_prefix(ParamReader& params, const AgentCreateManyParams& read) {
  if (params.failed() || is_agent_id(read.prefix + '-' + std::to_string(read.count - 1))) return;
  params.refuse("prefix", "so few of A-Z a-z 0-9 . _ - that PREFIX-NUMBER is an agent id, 128 at most");
}

bool is_cursor(std::string_view text) { return text.size() <= 512 && !has_control(text); }

bool is_call_state(std::string_view text) {
  return text == "waiting" || text == "queued" || text == "running" || text == "done" || text == "failed" ||
         text == "cancelled";
}

void read_page(ParamReader& params, ListParams& read) {
  read.cursor = params.string("cursor", "the next_cursor of an answer before", is_cursor);
  if (const auto limit = params.integer("limit", 1, longest_page, "")) {
    read.limit = static_cast<std::uint32_t>(*limit);
  }
}

std::vector<CallId> read_calls(ParamReader& params, std::string_view method) {
  static constexpr std::string_view allowed =
      "a list of call ids, each a string of 16 to 64 of A-Z a-z 0-9 _ -";
  std::vector<CallId> calls;
  std::string storage;
  for (json::Elements elements(params.array("calls", allowed)); elements.next();) {
    const bool is_string = json::type_of(elements.value()) == json::Type::string;
    const auto call = is_string ? CallId::parse(json::unquote(elements.value(), storage)) : std::nullopt;
    if (!call) {
      params.refuse(wrong_param(method, "calls[" + std::to_string(calls.size()) + "]", elements.value(),
                                "a call id: a string of 16 to 64 of A-Z a-z 0-9 _ -"));
      break;
    }
    calls.push_back(*call);
  }
  return calls;
}

bool take_topic(EventParams& read, std::string_view token) {
  if (json::token_is(token, "agents")) return read.agents = true;
  if (json::token_is(token, "calls")) return read.calls = true;
  return json::token_is(token, "node") && (read.node = true);
}

}  // namespace

Result<EventParams> read_event_subscribe_params(std::string_view text) {
  static constexpr Names names[] = {"topics"};
  static constexpr std::string_view allowed = R"(a list of "agents", "calls" and "node")";
  ParamReader params({"event.subscribe", names}, text);
  EventParams read;
  for (json::Elements elements(params.array("topics", allowed)); elements.next();) {
    if (!take_topic(read, elements.value()))
      params.refuse(wrong_param("topics", "element", elements.value(), allowed));
  }
  return params.finish(read);
}

Result<CallsParams> read_release_params(std::string_view text) {
  static constexpr Names names[] = {"calls"};
  ParamReader params({"call.release", names}, text);
  CallsParams read;
  read.calls = read_calls(params, "call.release");
  return params.finish(std::move(read));
}

Result<CallsParams> read_subscribe_params(std::string_view text) {
  static constexpr Names names[] = {"calls", "grace_ms"};
  ParamReader params({"call.subscribe", names}, text);
  CallsParams read;
  read.calls = read_calls(params, "call.subscribe");
  read.grace = params.milliseconds("grace_ms", 0).value_or(Milliseconds(0));
  return params.finish(std::move(read));
}

Result<CallGetParams> read_call_get_params(std::string_view text) {
  static constexpr Names names[] = {"call", "wait_ms"};
  ParamReader params({"call.get", names}, text);
  CallGetParams read;
  read.call = params.call_id("call");
  read.wait = params.milliseconds("wait_ms", 0);
  return params.finish(read);
}

Result<CallIdParams> read_call_cancel_params(std::string_view text) {
  static constexpr Names names[] = {"call"};
  ParamReader params({"call.cancel", names}, text);
  return params.finish(CallIdParams{params.call_id("call")});
}

Result<ListParams> read_call_list_params(std::string_view text) {
  static constexpr Names names[] = {"agent", "state", "cursor", "limit"};
  ParamReader params({"call.list", names}, text);
  ListParams read;
  read.agent = params.agent_id("agent");
  read.state =
      params.string("state", "one of waiting, queued, running, done, failed, cancelled", is_call_state);
  read_page(params, read);
  return params.finish(std::move(read));
}

Result<AgentCreateParams> read_agent_create_params(std::string_view text) {
  static constexpr Names names[] = {"type", "agent", "name", "args", "options"};
  ParamReader params({"agent.create", names}, text);
  AgentCreateParams read;
  read.type = params.name("type", Need::required);
  read.agent = params.agent_id("agent");
  read.name = params.name("name");
  read.args = read_args(params);
  read.options = read_options(params);
  return params.finish(std::move(read));
}

Result<AgentCreateManyParams> read_agent_create_many_params(std::string_view text) {
  static constexpr Names names[] = {"type", "count", "prefix", "args", "options"};
  ParamReader params({"agent.create_many", names}, text);
  AgentCreateManyParams read;
  read.type = params.name("type", Need::required);
  read.count =
      static_cast<std::uint64_t>(params.integer("count", 1, most_at_once, "", Need::required).value_or(1));
  read.prefix = params.agent_id("prefix", Need::required);
  read.args = read_args(params);
  read.options = read_options(params);
  check_prefix(params, read);
  return params.finish(std::move(read));
}

Result<AgentCloneParams> read_agent_clone_params(std::string_view text) {
  static constexpr Names names[] = {"agent", "as"};
  ParamReader params({"agent.clone", names}, text);
  AgentCloneParams read;
  read.agent = params.agent_id("agent", Need::required);
  read.as = params.agent_id("as");
  return params.finish(std::move(read));
}

Result<AgentParams> read_agent_params(std::string_view text, std::string_view method) {
  static constexpr Names names[] = {"agent"};
  ParamReader params({method, names}, text);
  return params.finish(AgentParams{params.agent_id("agent", Need::required)});
}

Result<ListParams> read_agent_list_params(std::string_view text) {
  static constexpr Names names[] = {"type", "cursor", "limit"};
  ParamReader params({"agent.list", names}, text);
  ListParams read;
  read.type = params.name("type");
  read_page(params, read);
  return params.finish(std::move(read));
}

Result<StopParams> read_stop_params(std::string_view text) {
  static constexpr Names names[] = {"grace_ms"};
  ParamReader params({"node.stop", names}, text);
  return params.finish(StopParams{params.milliseconds("grace_ms", 0)});
}

Result<NoParams> read_no_params(std::string_view text, std::string_view method) {
  ParamReader params({method, {}}, text);
  return params.finish(NoParams{});
}

}  // namespace agentd::protocol
