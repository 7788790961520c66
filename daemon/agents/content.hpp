#pragma once

#include <string>

#include <agentd/message.hpp>

namespace agentd::agents {

/// A message with that content: JSON text, valid by construction.
[[nodiscard]] Message from_text(std::string json_text);

/// An answer with the input's content, unopened: the same bytes. Whoever runs the method gives the
/// answer its own name, role and id, but would take over its metadata, so the input is handed back as
/// it is only where it has none.
[[nodiscard]] Message content_of(const Message& input);

}  // namespace agentd::agents
