#include "daemon/service/notify.hpp"

#include <cstdint>
#include <string>

#include <systemd/sd-daemon.h>

namespace agentd::service {
namespace {

constexpr int keep_environment = 0;

void notify(const std::string& state) { sd_notify(keep_environment, state.c_str()); }

/// One line: a second one would be another variable to systemd.
std::string one_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

void notify_ready(std::string_view status) { notify("READY=1\nSTATUS=" + one_line(status)); }
void notify_stopping() { notify("STOPPING=1\nSTATUS=stopping"); }
void notify_longer_stop(std::chrono::microseconds most) {
  notify("EXTEND_TIMEOUT_USEC=" + std::to_string(most.count()));
}
void notify_reloading() { notify("RELOADING=1\nSTATUS=reloading"); }
void notify_status(std::string_view status) { notify("STATUS=" + one_line(status)); }
void pet_watchdog() { notify("WATCHDOG=1"); }

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t interval = 0;
  if (sd_watchdog_enabled(keep_environment, &interval) <= 0) return std::nullopt;
  return std::chrono::microseconds(interval);
}

}  // namespace agentd::service
