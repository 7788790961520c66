#include "tests/integration/support/line.hpp"

#include <cstdlib>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int make_socket() { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

bool pass_on(int from, int to) {
  char buffer[16384];
  const auto count = read(from, buffer, sizeof buffer);
  return count > 0 && send(to, buffer, static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
}

}  // namespace

Line::Line() : listener_(make_socket()) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, raw, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, raw, &size) != 0 || pipe2(wake_, O_CLOEXEC) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Line::~Line() {
  close(wake_[1]);
  thread_.join();
  for (const Connection& connection : open_) {
    for (const int end : connection.ends) close(end);
  }
  close(wake_[0]);
  close(listener_);
}

void Line::cut() {
  const std::lock_guard lock(mutex_);
  for (const Connection& connection : open_) {
    for (const int end : connection.ends) shutdown(end, SHUT_RDWR);
  }
}

void Line::accept_one() {
  const int near = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int far = make_socket();
  const sockaddr_in address = loopback(target_);
  if (near < 0 || connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(near);
    close(far);
    return;
  }
  ++connections_;
  const std::lock_guard lock(mutex_);
  open_.push_back({{near, far}});
}

bool Line::forward(const Connection& connection, short from_first, short from_second) {
  const auto& [first, second] = connection.ends;
  return (from_first == 0 || pass_on(first, second)) && (from_second == 0 || pass_on(second, first));
}

void Line::run() {
  while (true) {
    std::vector<pollfd> polled{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Connection& connection : open_) {
      for (const int end : connection.ends) polled.push_back({end, POLLIN, 0});
    }
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) return;
    for (std::size_t i = open_.size(); i-- > 0;) {
      if (forward(open_[i], polled[2 + 2 * i].revents, polled[3 + 2 * i].revents)) continue;
      const std::lock_guard lock(mutex_);
      for (const int end : open_[i].ends) close(end);
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (polled[1].revents != 0) accept_one();
  }
}
