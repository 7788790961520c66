#include "sdk/agentctl/table.hpp"

#include <algorithm>

namespace agentd::ctl {
namespace {

using Row = std::vector<std::string>;

/// Columns that a text takes: its characters, not its bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void widen(std::vector<std::size_t>& widths, const Row& row) {
  if (widths.size() < row.size()) widths.resize(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
}

void append_row(std::string& out, const Row& row, const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    out += row[i];
    if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]) + 2, ' ');
  }
}

/// The characters U+0080 to U+009F steer terminals too.
bool is_control_pair(std::string_view text, std::size_t at) {
  return text[at] == '\xC2' && at + 1 < text.size() && (text[at + 1] & 0xE0) == 0x80;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

}  // namespace

std::string printable(std::string_view text, bool keep_lines) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool line = keep_lines && (c == '\n' || c == '\t');
    if (is_control_pair(text, i)) {
      append_escaped(out, text[++i]);
    } else if (!line && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)) {
      append_escaped(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  widen(widths, head_);
  for (const Row& row : rows_) widen(widths, row);
  return widths;
}

std::string Table::text(bool terminal) const {
  const auto columns = widths();
  std::string out;
  if (!head_.empty()) {
    if (terminal) out += "\x1b[1m";
    append_row(out, head_, columns);
    if (terminal) out += "\x1b[0m";
    out += '\n';
  }
  for (const Row& row : rows_) {
    append_row(out, row, columns);
    out += '\n';
  }
  return out;
}

}  // namespace agentd::ctl
