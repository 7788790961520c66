#include "common/protocol/done_frame.hpp"

#include "common/json/checking_form.hpp"
#include "common/json/text.hpp"
#include "common/protocol/message_form.hpp"
#include "common/protocol/notice_frame.hpp"

namespace agentd::protocol {
namespace {

using json::CheckingForm;

/// What a whole frame may be nested, less the notice, its params and the value around a content.
constexpr unsigned max_depth = json::max_content_depth + json::max_envelope_depth - 3;

bool take_notice(CheckingForm& form, DoneNotice& notice) {
  return form.past(R"({"jsonrpc":"2.0","method":"call.settled","params":{"call":)") &&
         notice_frame::take_call_id(form, notice.call) && form.past(R"(,"state":"done","value":)") &&
         take_message(form, notice.value) && form.past("}}");
}

}  // namespace

bool DoneFrame::read(std::string_view text) {
  notice_frame::clear(notices_);
  return notice_frame::read(
      text, max_depth, [this](CheckingForm& form) { return take_notice(form, notices_.emplace_back()); });
}

}  // namespace agentd::protocol
