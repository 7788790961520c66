#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "common/async/owned_count.hpp"

namespace agentd::http {

/// What waits to be written to one socket, piece by piece, in order. Pieces are written together
/// without being copied together.
class SendQueue {
public:
  void push(std::string piece);
  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  /// All bytes that wait.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  enum class Sent { all, blocked, failed };
  /// Writes what the socket takes now. @pre the socket does not block
  Sent send(boost::asio::ip::tcp::socket& socket, async::OwnedCount& counter);

private:
  std::size_t send_some(boost::asio::ip::tcp::socket& socket, boost::system::error_code& fault) const;
  void consume(std::size_t bytes);

  std::vector<std::string> pieces_;
  std::size_t first_ = 0;
  /// How much of the first piece has been written.
  std::size_t offset_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace agentd::http
