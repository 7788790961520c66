#include "common/json/text.hpp"

#include <algorithm>

#include "common/json/scan.hpp"

namespace agentd::json {
unsigned depth_of(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  unsigned depth = 0;
  unsigned deepest = 0;
  while ((at = scan::bracket_or_quote(at, end)) != end) {
    switch (*at) {
      case '"':
        at = scan::past_string(at, end);
        continue;
      case '{':
      case '[':
        deepest = std::max(deepest, ++depth);
        break;
      default:
        depth -= depth > 0 ? 1 : 0;
        break;
    }
    ++at;
  }
  return deepest;
}

Type type_of(std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* const at = scan::past_space(text.data(), end);
  if (at == end) return Type::null;
  switch (*at) {
    case '{':
      return Type::object;
    case '[':
      return Type::array;
    case '"':
      return Type::string;
    case 't':
    case 'f':
      return Type::boolean;
    case 'n':
      return Type::null;
    default:
      return Type::number;
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && scan::is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && scan::is_space(text.back())) text.remove_suffix(1);
  return text;
}

void Ends::begin(std::string_view text) {
  text_ = {};
  if (text.size() > longest) return;
  if (text.size() > room_) {
    room_ = std::max(text.size(), 2 * room_);
    // Not set to zero: only what is put is looked at.
    at_ = std::make_unique_for_overwrite<std::uint32_t[]>(room_);
  }
  text_ = text;
}

Members::Members(std::string_view object, const Ends* ends)
    : at_(object.data()),
      end_(object.data() + object.size()),
      ends_(ends != nullptr && ends->known() ? ends : nullptr) {
  at_ = scan::past_space(at_, end_);
  at_ = at_ != end_ && *at_ == '{' ? at_ + 1 : end_;
}

bool Members::next() {
  at_ = scan::past_space(at_, end_);
  if (at_ != end_ && *at_ == ',') at_ = scan::past_space(at_ + 1, end_);
  if (at_ == end_ || *at_ != '"') {
    at_ = end_;
    return false;
  }
  const char* const key = at_;
  at_ = scan::past_string(at_, end_);
  key_ = {key, static_cast<std::size_t>(at_ - key)};
  at_ = scan::past_space(at_, end_);
  if (at_ != end_ && *at_ == ':') at_ = scan::past_space(at_ + 1, end_);
  const char* const value = at_;
  at_ = scan::past_value(at_, end_, ends_);
  value_ = {value, static_cast<std::size_t>(at_ - value)};
  return true;
}

Elements::Elements(std::string_view array, const Ends* ends)
    : at_(array.data()),
      end_(array.data() + array.size()),
      ends_(ends != nullptr && ends->known() ? ends : nullptr) {
  at_ = scan::past_space(at_, end_);
  at_ = at_ != end_ && *at_ == '[' ? at_ + 1 : end_;
}

bool Elements::next() {
  at_ = scan::past_space(at_, end_);
  if (at_ != end_ && *at_ == ',') at_ = scan::past_space(at_ + 1, end_);
  const char* const value = at_;
  at_ = scan::past_value(at_, end_, ends_);
  if (at_ == value) {
    at_ = end_;
    return false;
  }
  value_ = {value, static_cast<std::size_t>(at_ - value)};
  return true;
}

}  // namespace agentd::json
