#include "daemon/logging/log.hpp"

#include <unistd.h>

#include <array>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "daemon/logging/line.hpp"

namespace agentd::logging {
namespace {

constexpr std::array<std::string_view, 6> names = {"trace", "debug", "info", "warn", "error", "off"};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

std::string_view level_name(Level level) { return names.at(static_cast<std::size_t>(level)); }

std::optional<Level> level_from_name(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

/// The line is ours, whole; spdlog filters by level and writes, one line at a time.
class Logger::Impl {
public:
  Impl(const spdlog::sink_ptr& sink, Form form, Level level)
      : form_(form), spdlog_(std::make_shared<spdlog::logger>("agentd", sink)) {
    spdlog_->set_pattern("%v", spdlog::pattern_time_type::utc);
    spdlog_->flush_on(spdlog::level::trace);
    spdlog_->set_level(to_spdlog(level));
  }

  void set_level(Level level) const { spdlog_->set_level(to_spdlog(level)); }
  [[nodiscard]] bool writes(Level level) const { return spdlog_->should_log(to_spdlog(level)); }
  void write(Level level, std::string_view message, Fields fields) const {
    const auto now = std::chrono::system_clock::now();
    const std::string line =
        form_ == Form::text ? text_line(now, level, message, fields) : json_line(now, level, message, fields);
    spdlog_->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }

private:
  Form form_;
  std::shared_ptr<spdlog::logger> spdlog_;
};

Logger Logger::to_standard_error(Level level) {
  const Form form = isatty(STDERR_FILENO) != 0 ? Form::text : Form::json_lines;
  return Logger(std::make_shared<const Impl>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), form, level));
}

Logger Logger::to_stream(std::ostream& out, Form form, Level level) {
  return Logger(
      std::make_shared<const Impl>(std::make_shared<spdlog::sinks::ostream_sink_mt>(out), form, level));
}

void Logger::set_level(Level level) const {
  if (impl_) impl_->set_level(level);
}

bool Logger::writes(Level level) const { return impl_ && level != Level::off && impl_->writes(level); }

void Logger::log(Level level, std::string_view message, Fields fields) const {
  if (writes(level)) impl_->write(level, message, fields);
}

}  // namespace agentd::logging
