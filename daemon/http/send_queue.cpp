#include "daemon/http/send_queue.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace agentd::http {

namespace {

namespace asio = boost::asio;

/// What Asio hands to the system in one call.
constexpr std::size_t max_buffers = 64;
/// An idle connection keeps room for an answer's header and body.
constexpr std::size_t kept_capacity = 4;
/// Smaller pieces are copied together, up to so much: that is cheaper than to hand them on one by one.
constexpr std::size_t small_piece = 4096;
constexpr std::size_t joined_piece = 64U << 10;

}  // namespace

void SendQueue::push(std::string piece) {
  if (piece.empty()) return;
  bytes_ += piece.size();
  const bool joins = piece.size() <= small_piece && first_ < pieces_.size() &&
                     pieces_.back().size() + piece.size() <= joined_piece;
  if (joins) {
    pieces_.back() += piece;
  } else {
    pieces_.push_back(std::move(piece));
  }
}

SendQueue::Sent SendQueue::send(asio::ip::tcp::socket& socket, async::OwnedCount& counter) {
  while (!empty()) {
    boost::system::error_code fault;
    const std::size_t sent = send_some(socket, fault);
    counter += sent;
    consume(sent);
    if (fault == asio::error::would_block) return Sent::blocked;
    if (fault) return Sent::failed;
  }
  return Sent::all;
}

std::size_t SendQueue::send_some(asio::ip::tcp::socket& socket, boost::system::error_code& fault) const {
  std::array<asio::const_buffer, max_buffers> buffers;
  const std::size_t count = std::min(pieces_.size() - first_, max_buffers);
  for (std::size_t i = 0; i < count; ++i) buffers[i] = asio::buffer(pieces_[first_ + i]);
  buffers[0] += offset_;
  return socket.write_some(std::span<const asio::const_buffer>(buffers.data(), count), fault);
}

void SendQueue::consume(std::size_t bytes) {
  bytes_ -= bytes;
  offset_ += bytes;
  while (first_ < pieces_.size() && offset_ >= pieces_[first_].size()) {
    offset_ -= pieces_[first_].size();
    std::string().swap(pieces_[first_]);
    ++first_;
  }
  if (!empty()) return;
  pieces_.clear();
  first_ = 0;
  if (pieces_.capacity() > kept_capacity) pieces_.shrink_to_fit();
}

}  // namespace agentd::http
