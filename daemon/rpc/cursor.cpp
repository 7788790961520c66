#include "daemon/rpc/cursor.hpp"

#include <charconv>
#include <optional>

namespace agentd::rpc {
namespace {

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [read_to, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc() || read_to != end) return std::nullopt;
  return value;
}

/// `SHARD.SEQ`
std::optional<ListPlace> read_place(std::string_view text, std::size_t shards) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto shard = number<std::size_t>(text.substr(0, dot));
  const auto seq = number<std::uint64_t>(text.substr(dot + 1));
  if (!shard || !seq || *shard >= shards) return std::nullopt;
  return ListPlace{*shard, *seq};
}

}  // namespace

std::string cursor_behind(const ListPlace& place, std::string_view boot) {
  return std::string(boot) + '-' + std::to_string(place.shard) + '.' + std::to_string(place.seq);
}

Result<ListPlace> read_cursor(std::string_view cursor, std::string_view boot, std::size_t shards) {
  if (cursor.empty()) return ListPlace{};
  const std::size_t dash = cursor.rfind('-');
  if (dash != std::string_view::npos && cursor.substr(0, dash) == boot) {
    if (const auto place = read_place(cursor.substr(dash + 1), shards)) return *place;
  }
  return Error(ErrorKind::invalid_params, "cursor \"" + std::string(cursor) +
                                              "\" is none that this node has given since its start; "
                                              "begin again without one");
}

}  // namespace agentd::rpc
