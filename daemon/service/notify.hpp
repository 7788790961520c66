#pragma once

#include <chrono>
#include <optional>
#include <string_view>

/// What systemd is told about the service. Every function does nothing where the program was not
/// started by systemd, and never fails: a daemon does not die of its supervisor. Thread-safe.
namespace agentd::service {

/// The port accepts.
void notify_ready(std::string_view status);
void notify_stopping();
/// Stopping may take longer than `TimeoutStopSec=`, but no longer than that from now on.
void notify_longer_stop(std::chrono::microseconds most);
/// @post followed by `notify_ready`, whatever comes of the reload
void notify_reloading();
/// One line for `systemctl status`.
void notify_status(std::string_view status);

/// How often systemd wants to hear from us at least (`WatchdogSec=`); nothing where it does not.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();
void pet_watchdog();

}  // namespace agentd::service
