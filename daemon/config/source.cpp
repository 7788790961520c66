#include "daemon/config/source.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "common/json/text.hpp"

namespace agentd::config {
namespace {

constexpr std::uintmax_t max_file = 1U << 20;
constexpr unsigned max_depth = 16;

Error refuse(std::string message) { return {ErrorKind::invalid_params, std::move(message)}; }

Error cannot_read(const std::filesystem::path& file, const std::string& why) {
  return refuse(file.string() + ": cannot be read: " + why);
}

void blank(std::string& text, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    if (text[i] != '\n' && text[i] != '\r') text[i] = ' ';
  }
}

std::size_t end_of_string(const std::string& text, std::size_t open) {
  for (std::size_t i = open + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

void blank_byte_order_mark(std::string& text) {
  if (text.starts_with("\xEF\xBB\xBF")) blank(text, 0, 3);
}

}  // namespace

std::size_t blank_comments(std::string& text) {
  std::size_t at = 0;
  while ((at = text.find_first_of("\"/", at)) != std::string::npos) {
    if (text[at] == '"') {
      at = end_of_string(text, at);
    } else if (text.compare(at, 2, "//") == 0) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      blank(text, at, end);
      at = end;
    } else if (text.compare(at, 2, "/*") == 0) {
      const std::size_t close = text.find("*/", at + 2);
      if (close == std::string::npos) return at;
      blank(text, at, close + 2);
      at = close + 2;
    } else {
      ++at;
    }
  }
  return std::string::npos;
}

Result<Source> Source::read(const std::filesystem::path& file) {
  std::error_code failed;
  const auto status = std::filesystem::status(file, failed);
  if (failed && !std::filesystem::exists(status)) return cannot_read(file, failed.message());
  if (std::filesystem::is_directory(status)) return cannot_read(file, "it is a directory");
  std::ifstream in(file, std::ios::binary);
  if (!in) return cannot_read(file, std::generic_category().message(errno));
  std::string text;
  for (char c = 0; text.size() <= max_file && in.get(c);) text += c;
  if (in.bad()) return cannot_read(file, std::generic_category().message(errno));
  if (text.size() > max_file) return cannot_read(file, "it is larger than 1 MiB");
  return from_text(file.string(), std::move(text));
}

Result<Source> Source::from_text(std::string name, std::string text) {
  Source source(std::move(name), std::move(text));
  blank_byte_order_mark(source.text_);
  const std::size_t open = blank_comments(source.text_);
  if (open != std::string::npos) {
    return refuse(source.where(open) + ": this comment is never closed; it needs a */");
  }
  if (const auto fault = json::check(source.text_, max_depth)) {
    return refuse(source.where(fault->offset) + ": not JSON: " + fault->what);
  }
  return source;
}

std::string Source::where(std::string_view view) const {
  return where(static_cast<std::size_t>(view.data() - text_.data()));
}

std::string Source::where(std::size_t offset) const {
  const std::string_view before = text().substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') + 1;  // 0 where there is none
  const auto column =
      1 + std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start), before.end(),
                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  return name_ + ":" + std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace agentd::config
