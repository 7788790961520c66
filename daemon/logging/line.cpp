#include "daemon/logging/line.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <ctime>

#include "daemon/logging/escape.hpp"

namespace agentd::logging {
namespace {

using BadByte = std::string (*)(unsigned char);

/// A value as it may stand in a line: cut where it is too long, and escaped.
void append_value(std::string& out, std::string_view text, BadByte bad_byte) {
  if (text.size() <= Logger::max_value) return append_escaped(out, text, bad_byte);
  append_escaped(out, text.substr(0, Logger::max_value), bad_byte);
  out += "... (" + std::to_string(text.size()) + " bytes)";
}

void append_quoted(std::string& out, std::string_view text, BadByte bad_byte) {
  out += '"';
  append_value(out, text, bad_byte);
  out += '"';
}

/// Whether a value can stand in a text line without quotes, and still be told from its neighbours.
bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isgraph(static_cast<unsigned char>(c)) != 0 && c != '"' && c != '=' && c != '\\';
  });
}

struct AppendScalar {
  std::string& out;
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(std::int64_t number) const { out += std::to_string(number); }
  void operator()(std::uint64_t number) const { out += std::to_string(number); }
};

struct AppendText : AppendScalar {
  using AppendScalar::operator();
  void operator()(std::string_view text) const {
    if (is_plain(text) && text.size() <= Logger::max_value) {
      out += text;
    } else {
      append_quoted(out, text, hexadecimal);
    }
  }
};

struct AppendJson : AppendScalar {
  using AppendScalar::operator();
  void operator()(std::string_view text) const { append_quoted(out, text, replacement); }
};

}  // namespace

std::string format_time(WallTime time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
  const std::time_t clock = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&clock, &parts);
  std::array<char, 32> date{};
  const std::size_t size = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string((micros - seconds).count());
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::string(date.data(), size) + "." + fraction + "Z";
}

std::string text_line(WallTime time, Level level, std::string_view message, Logger::Fields fields) {
  std::string line = format_time(time);
  line += ' ';
  line += level_name(level);
  line.append(6 - level_name(level).size(), ' ');
  append_value(line, message, hexadecimal);
  for (const Field& field : fields) {
    line += ' ';
    append_value(line, field.key, hexadecimal);
    line += '=';
    std::visit(AppendText{{line}}, field.value);
  }
  return line;
}

std::string json_line(WallTime time, Level level, std::string_view message, Logger::Fields fields) {
  std::string line = R"({"time":")" + format_time(time) + R"(","level":")";
  line += level_name(level);
  line += R"(","message":)";
  append_quoted(line, message, replacement);
  for (const Field& field : fields) {
    line += ',';
    append_quoted(line, field.key, replacement);
    line += ':';
    std::visit(AppendJson{{line}}, field.value);
  }
  return line + "}";
}

}  // namespace agentd::logging
