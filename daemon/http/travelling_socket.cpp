#include "daemon/http/travelling_socket.hpp"

#include <unistd.h>

#include <utility>

namespace agentd::http {

TravellingSocket::TravellingSocket(Socket socket) {
  boost::system::error_code fault;
  const auto endpoint = socket.local_endpoint(fault);
  if (fault) return;
  protocol_ = endpoint.protocol();
  const auto descriptor = socket.release(fault);
  if (!fault) descriptor_ = descriptor;
}

TravellingSocket::TravellingSocket(TravellingSocket&& other) noexcept
    : protocol_(other.protocol_), descriptor_(std::exchange(other.descriptor_, -1)) {}

TravellingSocket::~TravellingSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

TravellingSocket::Socket TravellingSocket::arrive(boost::asio::io_context& context) {
  Socket socket(context);
  if (descriptor_ < 0) return socket;
  boost::system::error_code fault;
  if (socket.assign(protocol_, descriptor_, fault); fault) return socket;
  descriptor_ = -1;
  // The descriptor does not block already, but this object has to know.
  if (socket.non_blocking(true, fault); fault) socket.close(fault);
  return socket;
}

}  // namespace agentd::http
