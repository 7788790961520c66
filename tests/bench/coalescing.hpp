#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/websocket/teardown.hpp>

namespace agentd::bench {

/// A socket that reads what is there at once, and writes what piled up before it has to wait for more: a
/// layer under a WebSocket
/// (https://www.boost.org/doc/libs/1_81_0/libs/beast/doc/html/beast/concepts/streams.html). One thread, and
/// blocking.
class Coalescing {
public:
  using executor_type = boost::asio::ip::tcp::socket::executor_type;
  using error_code = boost::beast::error_code;

  explicit Coalescing(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  executor_type get_executor() { return socket_.get_executor(); }
  boost::asio::ip::tcp::socket& socket() { return socket_; }

  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& error) {
    if (begin_ == end_) {
      flush(error);
      if (error) return 0;
      begin_ = 0;
      end_ = socket_.read_some(boost::asio::buffer(read_), error);
      if (error) return end_ = 0;
    }
    const std::size_t copied =
        boost::asio::buffer_copy(buffers, boost::asio::buffer(read_.data() + begin_, end_ - begin_));
    begin_ += copied;
    return copied;
  }
  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers) {
    error_code error;
    const std::size_t size = read_some(buffers, error);
    if (error) throw boost::system::system_error(error);
    return size;
  }

  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers, error_code& error) {
    error = {};
    std::size_t size = 0;
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const boost::asio::const_buffer buffer(*at);
      written_.append(static_cast<const char*>(buffer.data()), buffer.size());
      size += buffer.size();
    }
    if (written_.size() >= read_.size()) flush(error);
    return size;
  }
  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers) {
    error_code error;
    const std::size_t size = write_some(buffers, error);
    if (error) throw boost::system::system_error(error);
    return size;
  }

  void flush(error_code& error) {
    error = {};
    if (written_.empty()) return;
    boost::asio::write(socket_, boost::asio::buffer(written_), error);
    written_.clear();
  }

private:
  boost::asio::ip::tcp::socket socket_;
  std::array<char, 64U << 10> read_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string written_;
};

inline void teardown(boost::beast::role_type role, Coalescing& stream, boost::beast::error_code& error) {
  stream.flush(error);
  boost::beast::websocket::teardown(role, stream.socket(), error);
}

}  // namespace agentd::bench
