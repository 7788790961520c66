#include "common/protocol/describe.hpp"

#include <charconv>

namespace agentd::protocol {
namespace {

constexpr std::size_t longest_shown = 64;

}  // namespace

std::string shown(std::string_view value) {
  if (value.size() <= longest_shown) return std::string(value);
  std::size_t cut = longest_shown;
  while (cut > 0 && (static_cast<unsigned char>(value[cut]) & 0xc0) == 0x80) --cut;
  return std::string(value.substr(0, cut)) + "...";
}

std::string in_quotes(std::string_view name) { return '"' + shown(name) + '"'; }

std::string_view type_name(json::Type type) {
  switch (type) {
    case json::Type::object:
      return "an object";
    case json::Type::array:
      return "an array";
    case json::Type::string:
      return "a string";
    case json::Type::number:
      return "a number";
    case json::Type::boolean:
      return "a boolean";
    case json::Type::null:
      return "null";
  }
  return "a value";
}

std::optional<std::int64_t> integer_of(std::string_view value) {
  std::int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, problem] = std::from_chars(value.data(), end, number);
  if (problem != std::errc() || stop != end || value.empty()) return std::nullopt;
  return number;
}

}  // namespace agentd::protocol
