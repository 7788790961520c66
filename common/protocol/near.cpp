#include "common/protocol/near.hpp"

#include <algorithm>
#include <utility>

#include "common/vocabulary/letters.hpp"

namespace agentd::protocol {
namespace {

constexpr std::size_t longest = 128;

/// Insertions, deletions and replacements; capitals do not count.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (detail::lower(a[i - 1]) == detail::lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

/// One slip in a short name, more in a long one.
std::size_t slips_allowed(std::string_view name) { return name.size() < 4 ? 1 : 1 + name.size() / 4; }

}  // namespace

std::vector<std::string> near_names(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > longest) return {};
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > longest) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance <= slips_allowed(name) && distance < candidate.size())
      found.emplace_back(distance, candidate);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  names.reserve(found.size());
  for (const auto& [distance, candidate] : found) names.emplace_back(candidate);
  return names;
}

std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return near_names(name, std::span(views));
}

std::string did_you_mean(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::string text = " (did you mean ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += '"' + names[i] + '"';
  }
  return text + "?)";
}

}  // namespace agentd::protocol
