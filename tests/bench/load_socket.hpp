#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace agentd::bench {

/// A WebSocket to a daemon that takes batches, as a program with the SDK opens it: texts go out in batch
/// frames, closed at 32 KiB, when it is flushed. It never blocks: what the socket does not take waits here.
/// Frames are masked with zeros, which saves this side the work, but not the daemon.
class LoadSocket {
public:
  /// Throws where there is nobody, or somebody else.
  explicit LoadSocket(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1, room = send_buffer;
    if (socket_ < 0 || ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) != 0 ||
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot connect");
    }
    shake_hands();
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  LoadSocket(LoadSocket&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        batch_(std::move(other.batch_)),
        out_(std::move(other.out_)),
        taken_(other.taken_),
        in_(std::move(other.in_)) {}
  LoadSocket(const LoadSocket&) = delete;
  LoadSocket& operator=(const LoadSocket&) = delete;
  LoadSocket& operator=(LoadSocket&&) = delete;
  ~LoadSocket() {
    if (socket_ >= 0) ::close(socket_);
  }

  [[nodiscard]] int number() const { return socket_; }
  /// Bytes that wait here.
  [[nodiscard]] std::size_t waiting() const { return out_.size() - taken_ + batch_.size(); }

  /// Where to append the next object's text.
  std::string& begin() {
    if (batch_.size() >= frame_size) close_batch();
    batch_ += batch_.empty() ? '[' : ',';
    return batch_;
  }

  /// Hands to the socket what it takes. False once the connection is lost.
  [[nodiscard]] bool flush() {
    if (!batch_.empty()) close_batch();
    while (taken_ < out_.size()) {
      const auto sent = ::send(socket_, out_.data() + taken_, out_.size() - taken_, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      taken_ += static_cast<std::size_t>(sent);
    }
    out_.clear();
    taken_ = 0;
    return true;
  }

  enum class Got : std::uint8_t { something, nothing, end };

  /// Reads some of what is there, and gives each text to `take`.
  template <typename Take>
  [[nodiscard]] Got receive(Take take) {
    static thread_local std::array<char, 256U << 10> buffer;
    const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return got < 0 && errno == EAGAIN ? Got::nothing : Got::end;
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (Frame frame; next_frame(at, frame); at = frame.end) {
      if (frame.opcode == close_opcode) return Got::end;
      if (frame.opcode == ping_opcode) pong(frame.payload);
      if (frame.opcode == text_opcode) take(frame.payload);
    }
    in_.erase(0, at);
    return Got::something;
  }

private:
  static constexpr std::size_t frame_size = 32U << 10;
  /// The system would let 4 MiB pile up in each socket, and releases wait behind them.
  static constexpr int send_buffer = 128 << 10;
  static constexpr unsigned text_opcode = 1;
  static constexpr unsigned close_opcode = 8;
  static constexpr unsigned ping_opcode = 9;
  static constexpr unsigned pong_opcode = 10;

  struct Frame {
    unsigned opcode = 0;
    std::string_view payload;
    std::size_t end = 0;
  };

  void shake_hands() {
    constexpr std::string_view request =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAgentd-Batch: 1\r\n\r\n";
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0)
      throw std::system_error(errno, std::generic_category(), "cannot ask for a WebSocket");
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {
      char byte = 0;
      if (::recv(socket_, &byte, 1, 0) != 1) throw std::runtime_error("no WebSocket was opened: " + answer);
      answer += byte;
    }
    if (!answer.starts_with("HTTP/1.1 101")) throw std::runtime_error("no WebSocket was opened: " + answer);
  }

  void close_batch() {
    batch_ += ']';
    push(text_opcode, batch_);
    batch_.clear();
  }

  void pong(std::string_view payload) { push(pong_opcode, payload); }

  void push(unsigned opcode, std::string_view payload) {
    constexpr unsigned masked = 0x80;
    out_ += static_cast<char>(0x80U | opcode);
    const std::size_t size = payload.size();
    const unsigned bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
    out_ += static_cast<char>(masked | (bytes == 0 ? size : bytes == 2 ? 126 : 127));
    for (unsigned i = bytes; i > 0; --i) out_ += static_cast<char>(size >> (8 * (i - 1)));
    out_.append(4, '\0');
    out_ += payload;
  }

  /// The whole frame at `at`, if it is there.
  bool next_frame(std::size_t at, Frame& frame) const {
    if (in_.size() < at + 2) return false;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(in_[at + i]); };
    std::size_t size = byte(1);
    const std::size_t extended = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (in_.size() < at + 2 + extended) return false;
    if (extended > 0) size = 0;
    for (std::size_t i = 0; i < extended; ++i) size = size << 8U | byte(2 + i);
    const std::size_t begin = at + 2 + extended;
    if (in_.size() < begin + size) return false;
    frame = {byte(0) & 0x0fU, std::string_view(in_).substr(begin, size), begin + size};
    return true;
  }

  int socket_;
  std::string batch_;
  std::string out_;
  std::size_t taken_ = 0;
  std::string in_;
};

}  // namespace agentd::bench
