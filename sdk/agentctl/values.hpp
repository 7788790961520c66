#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <agentd/ids.hpp>

/// What stands on the command line, read. All throw `UsageError`, which names the option, its value,
/// and what would be right.
namespace agentd::ctl {

/// `500ms`, `5s`, `2m`, `1h`: at least 1 ms, at most 365 days; nothing else.
[[nodiscard]] std::chrono::milliseconds read_duration(std::string_view option, std::string_view text);

/// `HOST:PORT`, or `HOST` for the default port.
[[nodiscard]] NodeAddress read_node(const std::string& text);

/// The text of an option that takes JSON.
[[nodiscard]] std::string read_json(std::string_view option, const std::string& text);

/// A call's input as JSON text: `text` itself where it is JSON, otherwise a string. `-` reads
/// standard input, and leaves out one line end at its end.
[[nodiscard]] std::string read_input(const std::string& text);

/// The token in a file: its first and only line.
[[nodiscard]] std::string read_token(const std::string& file);

/// A call's id.
[[nodiscard]] CallId read_call(const std::string& text);

}  // namespace agentd::ctl
