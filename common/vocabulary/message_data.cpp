#include "common/vocabulary/message_data.hpp"

#include "common/json/text.hpp"

namespace agentd::detail {

Labels::Labels(const Plain& texts) {
  std::array<std::string, label_count> written;
  Tokens tokens;
  const std::array<std::string_view, label_count> given = {texts.name, texts.role, texts.id, texts.timestamp};
  for (std::size_t i = 0; i < label_count; ++i) {
    if (given[i].empty()) continue;
    json::append_string(written[i], given[i]);
    tokens[i] = written[i];
  }
  *this = copy(tokens);
}

Labels Labels::copy(const Tokens& tokens) {
  std::string all;
  for (const std::string_view token : tokens) all += token;
  if (all.empty()) return {};
  Labels labels;
  labels.text_ = SharedText::copy(all);
  std::size_t at = 0;
  for (std::size_t i = 0; i < label_count; at += tokens[i++].size()) {
    labels.tokens_[i] = labels.text_->substr(at, tokens[i].size());
  }
  return labels;
}

std::string Labels::text(Label label) const {
  return token(label).empty() ? std::string() : json::unquote(token(label));
}

}  // namespace agentd::detail
