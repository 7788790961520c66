#include "common/protocol/call_frame.hpp"

#include <utility>

#include "common/json/checking_form.hpp"
#include "common/json/text.hpp"
#include "common/protocol/describe.hpp"
#include "common/protocol/longest_time.hpp"
#include "common/protocol/message_form.hpp"
#include "common/protocol/method_name.hpp"
#include "common/protocol/notice_frame.hpp"

namespace agentd::protocol {
namespace {

using json::CheckingForm;
using notice_frame::take_call_id;

bool take_deadline(CheckingForm& form, std::optional<Milliseconds>& deadline) {
  std::string_view text;
  if (!form.value(text)) return false;
  const auto number = integer_of(text);
  if (!number || *number < 1 || *number > max_milliseconds) return false;
  deadline = Milliseconds(*number);
  return true;
}

bool take_input(CheckingForm& form, CallNotice& notice) {
  const CheckingForm before = form;
  if (take_message(form, notice.message.emplace())) {
    notice.input = notice.message->whole;
    return true;
  }
  form = before;
  notice.message.reset();
  return form.value(notice.input);
}

/// What `append_call_params`, and the link that adds the deadline, write for a call outside any agent.
bool take_call(CheckingForm& form, CallNotice& notice) {
  notice.method = "reply";
  return form.plain_text(notice.agent) && is_agent_id(notice.agent) &&
         (!form.past(R"(,"method":)") || (form.plain_text(notice.method) && is_method(notice.method))) &&
         form.past(R"(,"call":)") && take_call_id(form, notice.call) && form.past(R"(,"settled":"auto")") &&
         (!form.past(R"(,"input":)") || take_input(form, notice)) &&
         (!form.past(R"(,"deadline_ms":)") || take_deadline(form, notice.deadline)) && form.past("}}");
}

bool take_release(CheckingForm& form, ReleaseNotice& notice) {
  do {
    if (!take_call_id(form, notice.calls.emplace_back())) return false;
  } while (form.past(","));
  return form.past("]}}");
}

}  // namespace

bool CallFrame::take_notice(CheckingForm& form) {
  if (!form.past(R"({"jsonrpc":"2.0","method":")")) return false;
  if (form.past(R"(agent.call","params":{"agent":)")) {
    return take_call(form, std::get<CallNotice>(notices_.emplace_back(std::in_place_type<CallNotice>)));
  }
  return form.past(R"(call.release","params":{"calls":[)") &&
         take_release(form,
                      std::get<ReleaseNotice>(notices_.emplace_back(std::in_place_type<ReleaseNotice>)));
}

bool CallFrame::read(std::string_view text) {
  clear();
  // Nothing in it is nested as deep as only a frame may be: so no content is deeper than one may be.
  return notice_frame::read(text, json::max_content_depth,
                            [this](CheckingForm& form) { return take_notice(form); });
}

void CallFrame::clear() { notice_frame::clear(notices_); }

}  // namespace agentd::protocol
