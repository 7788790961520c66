#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

/// A port of this machine that leads to another one, until it is cut.
class Line {
public:
  Line();
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void leads_to(std::uint16_t port) { target_ = port; }
  /// Ends all connections, in the middle of whatever they carry. New ones may be made at once.
  void cut();
  /// How many connections there have been.
  [[nodiscard]] int connections() const { return connections_; }

private:
  struct Connection {
    int ends[2];
  };

  void run();
  void accept_one();
  /// False where either end has gone.
  static bool forward(const Connection& connection, short from_first, short from_second);

  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> target_{0};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  /// Only the thread adds and removes.
  std::vector<Connection> open_;
  std::thread thread_;
};
