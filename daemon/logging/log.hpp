#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace agentd::logging {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };

[[nodiscard]] std::string_view level_name(Level level);
/// Nothing for a name that is none of `trace`, `debug`, `info`, `warn`, `error`, `off`.
[[nodiscard]] std::optional<Level> level_from_name(std::string_view name);

/// How a line looks: for people, or for programs.
enum class Form : std::uint8_t { text, json_lines };

/// One fact of a log line. A view: lives as long as the call that logs it.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, bool> value;

  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, bool flag) : key(name), value(flag) {}
  Field(std::string_view name, std::signed_integral auto number)
      : key(name), value(static_cast<std::int64_t>(number)) {}
  Field(std::string_view name, std::unsigned_integral auto number)
      : key(name), value(static_cast<std::uint64_t>(number)) {}
};

/// Where log lines go: a value that is handed to whoever may log.
///
///     log.info("peer is gone", {{"node", address.text()}, {"silent_ms", 10'000}});
///
/// One line a call, whatever the message and the fields contain: what came from a client cannot
/// forge a line, nor move a terminal's cursor. Values past `max_value` bytes are cut.
///
/// Cheap to copy; copies share the level. Thread-safe. Never fails: a line that cannot be written is
/// lost. A default-constructed logger says nothing.
class Logger {
public:
  static constexpr std::size_t max_value = 2048;

  Logger() = default;
  /// To standard error: text on a terminal, JSON lines otherwise.
  [[nodiscard]] static Logger to_standard_error(Level level);
  /// @pre `out` outlives all copies
  [[nodiscard]] static Logger to_stream(std::ostream& out, Form form, Level level);

  void set_level(Level level) const;
  [[nodiscard]] bool writes(Level level) const;

  using Fields = std::initializer_list<Field>;
  void log(Level level, std::string_view message, Fields fields = {}) const;
  void debug(std::string_view message, Fields fields = {}) const { log(Level::debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { log(Level::info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) const { log(Level::warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { log(Level::error, message, fields); }

private:
  class Impl;
  explicit Logger(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace agentd::logging
