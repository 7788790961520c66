#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/param_errors.hpp"
#include "common/protocol/params.hpp"

/// What a node tells its clients. Members that are not known are let pass: a newer node may say more.
namespace agentd::protocol {
namespace {

std::optional<CallId> call_of(std::string_view token) {
  if (json::type_of(token) != json::Type::string) return std::nullopt;
  std::string storage;
  return CallId::parse(json::unquote(token, storage));
}

std::string_view settled_state(std::string_view token) {
  for (const std::string_view state : {"done", "failed", "cancelled"}) {
    if (json::token_is(token, state)) return state;
  }
  return {};
}

Error wrong_call(std::string_view owner, std::string_view token) {
  return wrong_param(owner, "call", token, "a call id: 16 to 64 of A-Z a-z 0-9 _ -");
}

}  // namespace

Result<SettledNotice> read_settled(std::string_view params, const json::Ends* ends) {
  SettledNotice read;
  std::string_view call;
  std::string_view state;
  std::string storage;
  for (json::Members members(params, ends); members.next();) {
    const std::string_view key = json::unquote(members.key_token(), storage);
    // Told apart by one character first: this is done for every call.
    switch (key.empty() ? '\0' : key.front()) {
      case 'c':
        if (key == "call") call = members.value();
        break;
      case 's':
        if (key == "state") state = members.value();
        break;
      case 'v':
        if (key == "value") read.value = members.value();
        break;
      case 'e':
        if (key == "error") read.error = members.value();
        break;
      default:
        break;
    }
  }
  const auto id = call_of(call);
  if (!id) return wrong_call("call.settled", call);
  read.call = *id;
  read.state = settled_state(state);
  if (read.state.empty()) return wrong_param("call.settled", "state", state, "done, failed or cancelled");
  return read;
}

Result<ProgressNotice> read_progress(std::string_view params) {
  ProgressNotice read;
  std::string_view call;
  std::string_view seq;
  for (json::Members members(params); members.next();) {
    if (members.key_is("call")) {
      call = members.value();
    } else if (members.key_is("seq")) {
      seq = members.value();
    } else if (members.key_is("value")) {
      read.value = members.value();
    }
  }
  const auto id = call_of(call);
  if (!id) return wrong_call("call.progress", call);
  const auto number = integer_of(seq);
  if (!number || *number < 0) return wrong_param("call.progress", "seq", seq, "a whole number from 0");
  read.call = *id;
  read.seq = static_cast<std::uint64_t>(*number);
  return read;
}

}  // namespace agentd::protocol
