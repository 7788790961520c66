#include "daemon/rpc/cursor.hpp"

#include <charconv>

namespace agentd::rpc {

std::string cursor_behind(std::uint64_t seq, std::string_view boot) {
  return std::string(boot) + '-' + std::to_string(seq);
}

Result<std::uint64_t> read_cursor(std::string_view cursor, std::string_view boot) {
  if (cursor.empty()) return std::uint64_t{0};
  const std::size_t dash = cursor.rfind('-');
  if (dash != std::string_view::npos && cursor.substr(0, dash) == boot) {
    std::uint64_t seq = 0;
    const char* const end = cursor.data() + cursor.size();
    const auto [read_to, failed] = std::from_chars(cursor.data() + dash + 1, end, seq);
    if (failed == std::errc() && read_to == end) return seq;
  }
  return Error(ErrorKind::invalid_params, "cursor \"" + std::string(cursor) +
                                              "\" is none that this node has given since its start; "
                                              "begin again without one");
}

}  // namespace agentd::rpc
