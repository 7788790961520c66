#pragma once

#include "common/json/checking_form.hpp"
#include "common/protocol/values.hpp"

namespace agentd::protocol {

/// Takes a message that stands as `append_message` writes it. Inside this room only.
[[nodiscard]] bool take_message(json::CheckingForm& form, MessageText& message);

}  // namespace agentd::protocol
