#include "daemon/service/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include <catch2/catch.hpp>

#include "tests/unit/daemon/config/scratch.hpp"

using namespace agentd::service;  // NOLINT(google-build-using-namespace): the room under test

namespace {

/// Stands in for systemd: a socket to which this process reports.
class Manager {
public:
  Manager() : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const std::string name = (scratch_.path() / "notify").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.c_str(), name.size());
    REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    unsetenv("NOTIFY_SOCKET");
    close(socket_);
  }

  /// The next report; empty where there is none.
  [[nodiscard]] std::string heard() const {
    std::array<char, 512> buffer{};
    const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
    return size <= 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

private:
  Scratch scratch_;
  int socket_;
};

}  // namespace

TEST_CASE("systemd hears what becomes of the service") {
  const Manager manager;
  notify_ready("listening on 127.0.0.1:1");
  CHECK(manager.heard() == "READY=1\nSTATUS=listening on 127.0.0.1:1");
  notify_reloading();
  CHECK(manager.heard().starts_with("RELOADING=1"));
  notify_longer_stop(std::chrono::seconds(2));
  CHECK(manager.heard() == "EXTEND_TIMEOUT_USEC=2000000");
  notify_status("x");
  CHECK(manager.heard() == "STATUS=x");
  pet_watchdog();
  CHECK(manager.heard() == "WATCHDOG=1");
  notify_stopping();
  CHECK(manager.heard().starts_with("STOPPING=1"));
}

TEST_CASE("a status of two lines cannot set another variable") {
  const Manager manager;
  notify_status("x\nSTOPPING=1");
  CHECK(manager.heard() == "STATUS=x");
}

TEST_CASE("without systemd nothing happens") {
  unsetenv("NOTIFY_SOCKET");
  notify_ready("x");
  pet_watchdog();
  CHECK_FALSE(watchdog_interval());
}

TEST_CASE("the watchdog's interval is what systemd set for this process") {
  setenv("WATCHDOG_USEC", "2000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  CHECK(watchdog_interval() == std::chrono::microseconds(2'000'000));
  setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(watchdog_interval());
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
}
