#include "sdk/agentctl/values.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <system_error>

#include "common/json/text.hpp"
#include "common/protocol/token.hpp"
#include "sdk/agentctl/exit.hpp"

namespace agentd::ctl {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t default_port = 12001;
/// What a node takes in one frame, less what the call around the input may add.
constexpr std::size_t largest_input = (2U << 20) - (4U << 10);
constexpr milliseconds longest = std::chrono::hours(24 * 365);

std::optional<std::int64_t> unit_of(std::string_view name) {
  if (name == "ms") return 1;
  if (name == "s") return 1'000;
  if (name == "m") return 60'000;
  if (name == "h") return 3'600'000;
  return std::nullopt;
}

std::string fault_text(const json::Fault& fault) {
  return fault.what + " (at byte " + std::to_string(fault.offset) + ')';
}

std::optional<json::Fault> fault_of(std::string_view text) {
  return json::check(text, json::max_content_depth + json::max_envelope_depth);
}

/// As many bytes as are one too many for an input, at most.
std::string all_of(std::istream& in) {
  std::string text(largest_input + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) throw UsageError("the input cannot be read from standard input");
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string as_string(const std::string& text) {
  std::string token;
  json::append_string(token, text);
  // What is no UTF-8 was mended, and so is not the same any more.
  if (json::unquote(token) != text) {
    throw UsageError("the input is neither JSON nor UTF-8 text; send bytes in some encoding, such as base64");
  }
  return token;
}

}  // namespace

milliseconds read_duration(std::string_view option, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit = unit_of({end, static_cast<std::size_t>(text.data() + text.size() - end)});
  if (failed == std::errc{} && unit && number > 0 && number <= longest.count() / *unit) {
    return milliseconds(number * *unit);
  }
  throw UsageError(std::string(option) + " is \"" + std::string(text) +
                   "\"; it must be a time with its unit, such as 500ms, 5s, 2m or 1h");
}

NodeAddress read_node(const std::string& text) {
  if (const auto node = NodeAddress::parse(text)) return *node;
  if (const auto node = NodeAddress::parse(text + ':' + std::to_string(default_port))) return *node;
  throw UsageError("the node is \"" + text +
                   "\"; it must be HOST:PORT, such as 127.0.0.1:12001 or [::1]:12001");
}

std::string read_json(std::string_view option, const std::string& text) {
  const auto fault = fault_of(text);
  if (!fault) return text;
  throw UsageError(std::string(option) + " must be JSON: " + fault_text(*fault));
}

std::string read_input(const std::string& argument) {
  const std::string text = argument == "-" ? all_of(std::cin) : argument;
  if (text.size() > largest_input) {
    throw UsageError("the input is longer than a node takes: " + std::to_string(largest_input) + " bytes");
  }
  const auto fault = fault_of(text);
  if (!fault) return text;
  if (fault->too_deep) throw UsageError("the input is nested too deep: " + fault_text(*fault));
  return as_string(text);
}

std::string read_token(const std::string& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string text(protocol::longest_token + 64, '\0');
  if (in.is_open()) errno = 0;
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) {
    throw UsageError("the token file " + file + " cannot be read: " + std::generic_category().message(errno));
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  const std::string_view token = protocol::token_in(text);
  if (const auto fault = protocol::token_fault(token, 1)) {
    throw UsageError("the token file " + file + ' ' + *fault);
  }
  return std::string(token);
}

CallId read_call(const std::string& text) {
  if (const auto id = CallId::parse(text)) return *id;
  throw UsageError("\"" + text + "\" is no call's id: 16 to 64 of A-Z a-z 0-9 _ -");
}

}  // namespace agentd::ctl
