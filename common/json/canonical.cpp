#include <algorithm>
#include <utility>
#include <vector>

#include "common/json/text.hpp"

namespace agentd::json {
namespace {

/// Far beyond what any `check` lets pass: the recursion below ends, whatever it is given.
constexpr unsigned deepest = 2048;

void append_canonical(std::string& out, std::string_view text, unsigned depth);

void append_object(std::string& out, std::string_view text, unsigned depth) {
  std::vector<std::pair<std::string, std::string_view>> sorted;
  for (Members members(text); members.next();) {
    sorted.emplace_back(unquote(members.key_token()), members.value());
  }
  // Stable: members of the same name stay in their order.
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  char separator = '{';
  for (const auto& [key, value] : sorted) {
    out += separator;
    append_string(out, key);
    out += ':';
    append_canonical(out, value, depth + 1);
    separator = ',';
  }
  out += sorted.empty() ? "{}" : "}";
}

void append_array(std::string& out, std::string_view text, unsigned depth) {
  char separator = '[';
  for (Elements elements(text); elements.next();) {
    out += separator;
    append_canonical(out, elements.value(), depth + 1);
    separator = ',';
  }
  out += separator == '[' ? "[]" : "]";
}

void append_canonical(std::string& out, std::string_view text, unsigned depth) {
  if (depth < deepest) {
    switch (type_of(text)) {
      case Type::object:
        return append_object(out, text, depth);
      case Type::array:
        return append_array(out, text, depth);
      case Type::string: {
        std::string storage;
        return append_string(out, unquote(trim(text), storage));
      }
      default:
        break;
    }
  }
  out += trim(text);
}

}  // namespace

std::string canonical(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_canonical(out, text, 0);
  return out;
}

}  // namespace agentd::json
