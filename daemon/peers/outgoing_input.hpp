#pragma once

#include <functional>
#include <string>

#include <agentd/message.hpp>

#include "common/protocol/result.hpp"

namespace agentd::peers {

/// Whether every part of the input has a value here, or a place where the other node can ask for it.
[[nodiscard]] bool can_be_sent(const Message& input);

/// Calls back, on any thread, for each part that cannot be sent yet, once it has a value or has failed.
void when_part_settles(const Message& input, const std::function<void()>& callback);

/// The error of a part that has failed; null where none has.
[[nodiscard]] const Error* failure_of(const Message& input);

/// Appends the input's JSON: references where there are such, values otherwise. Fails with a part's
/// own error. @pre can_be_sent(input)
[[nodiscard]] Result<void> append_input(std::string& out, const Message& input);

}  // namespace agentd::peers
