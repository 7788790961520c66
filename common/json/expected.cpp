#include "common/json/expected.hpp"

#include "common/json/scan.hpp"

namespace agentd::json {

bool Expected::string(std::string_view& token) {
  if (rest_.size() < 2 || rest_.front() != '"') return false;
  const char* const end = rest_.data() + rest_.size();
  const char* const stop = scan::plain_text_end(rest_.data() + 1, end);
  if (stop == end || *stop != '"') return false;
  token = {rest_.data(), static_cast<std::size_t>(stop + 1 - rest_.data())};
  rest_.remove_prefix(token.size());
  return true;
}

bool Expected::plain_text(std::string_view& text) {
  if (!string(text)) return false;
  text = text.substr(1, text.size() - 2);
  return true;
}

bool Expected::value(std::string_view& value) {
  const char* const past = scan::past_value(rest_.data(), rest_.data() + rest_.size(), &ends_);
  value = {rest_.data(), static_cast<std::size_t>(past - rest_.data())};
  rest_.remove_prefix(value.size());
  return !value.empty();
}

}  // namespace agentd::json
