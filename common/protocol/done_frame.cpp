#include "common/protocol/done_frame.hpp"

#include "common/json/checking_form.hpp"
#include "common/json/text.hpp"
#include "common/protocol/message_form.hpp"

namespace agentd::protocol {
namespace {

using json::CheckingForm;

/// What a whole frame may be nested, less the notice, its params and the value around a content.
constexpr unsigned max_depth = json::max_content_depth + json::max_envelope_depth - 3;

/// A node closes a frame at 32 KiB, which is some 200 notices: room for more is not kept.
constexpr std::size_t kept_notices = 1024;

bool take_notice(CheckingForm& form, DoneNotice& notice) {
  std::string_view call;
  if (!form.past(R"({"jsonrpc":"2.0","method":"call.settled","params":{"call":)") || !form.string(call) ||
      !form.past(R"(,"state":"done","value":)") || !take_message(form, notice.value) || !form.past("}}")) {
    return false;
  }
  const auto id = CallId::parse(call.substr(1, call.size() - 2));
  if (!id) return false;
  notice.call = *id;
  return true;
}

}  // namespace

bool DoneFrame::read(std::string_view text) {
  if (notices_.capacity() > kept_notices) notices_ = {};
  notices_.clear();
  CheckingForm form(text, max_depth);
  const bool batch = form.past("[");
  do {
    if (!take_notice(form, notices_.emplace_back())) return false;
  } while (batch && form.past(","));
  return (!batch || form.past("]")) && form.at_end() && form.is_utf8();
}

}  // namespace agentd::protocol
