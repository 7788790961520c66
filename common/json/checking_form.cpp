#include "common/json/checking_form.hpp"

#include "common/json/scan.hpp"
#include "common/json/utf8.hpp"

namespace agentd::json {

bool CheckingForm::string(std::string_view& token) {
  if (at_ == end_ || *at_ != '"') return false;
  const char* const opening = at_;
  at_ = scan::plain_text_end(at_ + 1, end_, high_);
  if (at_ == end_ || *at_ != '"') return false;
  ++at_;
  token = {opening, static_cast<std::size_t>(at_ - opening)};
  return true;
}

bool CheckingForm::plain_text(std::string_view& text) {
  if (!string(text)) return false;
  text = text.substr(1, text.size() - 2);
  return true;
}

bool CheckingForm::value(std::string_view& value) {
  const char* const begin = at_;
  if (string(value)) return true;
  at_ = scan::past_checked_value({begin, static_cast<std::size_t>(end_ - begin)}, max_depth_, high_);
  if (at_ == nullptr) return false;
  value = {begin, static_cast<std::size_t>(at_ - begin)};
  return true;
}

bool CheckingForm::is_utf8() const {
  return high_ == 0 || json::is_utf8({begin_, static_cast<std::size_t>(end_ - begin_)});
}

}  // namespace agentd::json
