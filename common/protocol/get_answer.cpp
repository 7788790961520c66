#include "common/protocol/get_answer.hpp"

#include "common/json/text.hpp"
#include "common/protocol/envelope.hpp"
#include "common/protocol/values.hpp"

namespace agentd::protocol {

Result<detail::MessageData> read_get_answer(std::string_view answer) {
  for (json::Members members(answer); members.next();) {
    if (members.key_is("value")) return read_message(members.value());
    if (members.key_is("error")) return read_error(members.value());
  }
  return Error(ErrorKind::internal, "the node answered call.get with neither a value nor an error");
}

}  // namespace agentd::protocol
