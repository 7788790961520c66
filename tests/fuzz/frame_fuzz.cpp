#include <cstdint>
#include <string>
#include <string_view>

#include "common/protocol/call_frame.hpp"
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

void check_done(const DoneNotice& notice, const Envelope& envelope) {
  const Result<SettledNotice> read = read_settled(envelope.params, envelope.ends);
  require(envelope.method == "call.settled" && read && read->call == notice.call && read->state == "done",
          "a call that is done is read as in any other form");
  std::string quick;
  append_message(quick, copy_message(notice.value));
  std::string slow;
  append_message(slow, *read_message(read->value, envelope.ends));
  require(quick == slow, "and so is its value");
}

std::string input_text(const Result<Input>& input) {
  if (!input) return std::string(kind_name(input.error().kind()));
  std::string text = input->list ? "list" : "one";
  for (const InputPart& part : input->parts) {
    append_message(text += ' ', part.message);
    text += part.whole ? " whole " : " holes ";
    text += std::to_string(part.holes.size());
  }
  return text;
}

void check_quick_call(const CallNotice& notice, const Envelope& envelope) {
  const Result<CallParams> read = read_call_params(envelope.params, envelope.ends);
  require(read && read->agent == notice.agent && read->method == notice.method && read->call == notice.call &&
              read->deadline == notice.deadline && read->settled == SettledMode::automatic &&
              read->input == notice.input && read->caller.empty() && read->path.empty() && !read->wait &&
              !read->release,
          "a call that is read quickest is read as in any other form");
  const Result<Input> input = read_input(read->input, true, envelope.ends);
  require(input_text(input) == input_text(read_input(notice.input, false)),
          "its input is as deep as it may be");
  if (!notice.message || needs_literal(notice.message->content)) return;
  Result<Input> quick{boost::system::in_place_value};
  quick->parts.emplace_back().message = copy_message(*notice.message);
  require(input_text(input) == input_text(quick), "and so is its message");
}

void check_notice(const CallFrame::Notice& notice, const Envelope& envelope) {
  if (const auto* call = std::get_if<CallNotice>(&notice)) {
    require(envelope.method == "agent.call", "of calls");
    return check_quick_call(*call, envelope);
  }
  const Result<CallsParams> read = read_release_params(envelope.params);
  require(envelope.method == "call.release" && read && read->calls == std::get<ReleaseNotice>(notice).calls,
          "a release is read as in any other form");
}

/// What is read quickest is read as in any other form.
template <typename QuickFrame, typename Check>
void check_quick(std::string_view text, Check check) {
  // Used again, as its owner does.
  static QuickFrame quick;
  if (!quick.read(text)) return;
  FrameReader frame;
  require(!frame.open(text), "a frame that is read quickest is a frame");
  Envelope envelope;
  for (const auto& notice : quick.notices()) {
    require(frame.next(envelope) && envelope.kind == Envelope::Kind::notification, "of notifications");
    check(notice, envelope);
  }
  require(!frame.next(envelope), "and of nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_quick<DoneFrame>(text, check_done);
  check_quick<CallFrame>(text, check_notice);
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
