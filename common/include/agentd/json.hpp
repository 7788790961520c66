#pragma once

#include <nlohmann/json.hpp>

namespace agentd {

/// The JSON type of everything an agent opens: arguments, content, metadata, state.
/// What an agent does not open stays the text that came, numbers of any size included.
using Json = nlohmann::json;

}  // namespace agentd
