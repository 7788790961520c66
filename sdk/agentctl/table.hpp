#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agentd::ctl {

/// Text that came from elsewhere, safe to show: control characters become `\xNN`, so that nobody
/// else drives the terminal. `keep_lines` lets line ends and tabs pass.
[[nodiscard]] std::string printable(std::string_view text, bool keep_lines = false);

/// Rows of text in aligned columns. The head is bold on a terminal, and plain elsewhere.
class Table {
public:
  /// No head where it is empty.
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text(bool terminal) const;

private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace agentd::ctl
