#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace agentd::http {

/// A connected socket on its way from one loop to another. It belongs to neither, and closes where it never
/// arrives. Made on the thread of the loop that it leaves; then whoever has it may end it.
class TravellingSocket {
public:
  using Socket = boost::asio::ip::tcp::socket;

  /// What waits for the socket there is cancelled.
  explicit TravellingSocket(Socket socket);
  TravellingSocket(TravellingSocket&& other) noexcept;
  TravellingSocket& operator=(TravellingSocket&&) = delete;
  ~TravellingSocket();

  /// In another loop, on its thread; it does not block there. Not open where the system said no.
  [[nodiscard]] Socket arrive(boost::asio::io_context& context);

private:
  boost::asio::ip::tcp protocol_ = boost::asio::ip::tcp::v4();
  int descriptor_ = -1;
};

}  // namespace agentd::http
