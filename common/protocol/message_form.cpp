#include "common/protocol/message_form.hpp"

#include "common/protocol/message_members.hpp"

namespace agentd::protocol {
namespace {

using detail::Label;
using json::CheckingForm;

bool take_label(CheckingForm& form, Label label, MessageText& message) {
  std::string_view token;
  if (!form.string(token)) return false;
  message.labels[static_cast<std::size_t>(label)] = message_member::label_token(token);
  return true;
}

bool take_object(CheckingForm& form, std::string_view& object) {
  return form.value(object) && object.front() == '{';
}

}  // namespace

bool take_message(CheckingForm& form, MessageText& message) {
  const char* const begin = form.at();
  message = {};
  const bool taken =
      form.past("{") &&
      (!form.past(R"("id":)") || (take_label(form, Label::id, message) && form.past(","))) &&
      (!form.past(R"("name":)") || (take_label(form, Label::name, message) && form.past(","))) &&
      (!form.past(R"("role":)") || (take_label(form, Label::role, message) && form.past(","))) &&
      form.past(R"("content":)") && form.value(message.content) &&
      (!form.past(R"(,"metadata":)") || take_object(form, message.metadata)) &&
      (!form.past(R"(,"timestamp":)") || take_label(form, Label::timestamp, message)) && form.past("}");
  if (taken) message.whole = {begin, static_cast<std::size_t>(form.at() - begin)};
  return taken;
}

}  // namespace agentd::protocol
