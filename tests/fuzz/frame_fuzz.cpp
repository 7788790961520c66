#include <cstdint>
#include <string>
#include <string_view>

#include "common/protocol/done_frame.hpp"
#include "common/protocol/envelope.hpp"
#include "common/protocol/params.hpp"
#include "common/protocol/values.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd;
using namespace agentd::protocol;

namespace {

constexpr unsigned deep = 128;

void check_error(const Error& error) {
  std::string text;
  append_error(text, error);
  require(!json::check(text, deep), "a written error is JSON");
}

template <typename T>
void check_refusal(const Result<T>& read) {
  if (read.has_error()) check_error(read.error());
}

void check_call(std::string_view params) {
  const Result<CallParams> read = read_call_params(params);
  check_refusal(read);
  if (!read) return;
  OutgoingCall call;
  call.agent = read->agent;
  call.method = read->method;
  call.call = read->call.text();
  call.input = read->input;
  call.deadline = read->deadline;
  call.settled = read->settled;
  call.caller = read->caller;
  call.path = &read->path;
  std::string text;
  append_call_params(text, call);
  require(!json::check(text, deep), "a written call is JSON");
  const Result<CallParams> again = read_call_params(text);
  require(again.has_value(), "a written call is read");
  require(again->agent == read->agent && again->method == read->method && again->call == read->call &&
              again->input == read->input && again->deadline == read->deadline &&
              again->caller == read->caller && again->path == read->path,
          "a call is read as it was written");
}

void read_params(std::string_view params) {
  check_call(params);
  check_refusal(read_release_params(params));
  check_refusal(read_subscribe_params(params));
  check_refusal(read_call_get_params(params));
  check_refusal(read_call_cancel_params(params));
  check_refusal(read_call_list_params(params));
  check_refusal(read_agent_create_params(params));
  check_refusal(read_agent_create_many_params(params));
  check_refusal(read_agent_clone_params(params));
  check_refusal(read_agent_params(params, "agent.get"));
  check_refusal(read_agent_list_params(params));
  check_refusal(read_event_subscribe_params(params));
  check_refusal(read_stop_params(params));
  check_refusal(read_no_params(params, "node.info"));
  check_refusal(read_settled(params));
  check_refusal(read_progress(params));
}

void check_envelope(const Envelope& envelope) {
  require(envelope.problem.has_value() == (envelope.kind == Envelope::Kind::invalid),
          "an envelope has a problem where it is invalid");
  if (envelope.problem) check_error(*envelope.problem);
  if (!envelope.error.empty()) check_error(read_error(envelope.error));
  if (envelope.kind == Envelope::Kind::request || envelope.kind == Envelope::Kind::notification) {
    read_params(envelope.params);
  }
  std::string answer;
  append_result(answer, envelope.id, "{}");
  require(!json::check(answer, deep), "an answer is JSON");
}

/// What is read quickest is read as in any other form.
void check_done(std::string_view text) {
  DoneFrame done;
  if (!done.read(text)) return;
  FrameReader frame;
  require(!frame.open(text), "a frame of calls that are done is a frame");
  Envelope envelope;
  for (const DoneNotice& notice : done.notices()) {
    require(frame.next(envelope) && envelope.method == "call.settled", "of notices");
    const Result<SettledNotice> read = read_settled(envelope.params, envelope.ends);
    require(read && read->call == notice.call && read->state == "done", "of the same calls");
    std::string quick;
    append_message(quick, copy_message(notice.value));
    std::string slow;
    append_message(slow, *read_message(read->value, envelope.ends));
    require(quick == slow, "with the same values");
  }
  require(!frame.next(envelope), "and of no others");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_done(text);
  FrameReader frame;
  if (const auto fault = frame.open(text)) {
    check_error(*fault);
    return 0;
  }
  // Short inputs are mostly params: they are read as such too.
  read_params(json::trim(text));
  for (Envelope envelope; frame.next(envelope);) check_envelope(envelope);
  return 0;
}
