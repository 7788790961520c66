#include "common/protocol/name.hpp"

#include "common/protocol/describe.hpp"

namespace agentd::protocol {

bool is_name(std::string_view text) { return !text.empty() && text.size() <= 256 && !has_control(text); }

}  // namespace agentd::protocol
