#include "daemon/http/connection.hpp"

#include <utility>

#include "daemon/http/frames.hpp"
#include "daemon/http/request_body.hpp"

namespace agentd::http {

namespace {

constexpr std::size_t buffer_size = 64U << 10;
constexpr std::size_t padding = std::max(BodyReader::padding, FrameParser::padding);

}  // namespace

Connections::Connections(async::Loops& loops, std::size_t index, const All& all,
                         rpc::Dispatcher& the_dispatcher, const ServerLimits& the_limits)
    : loop(loops[index]),
      dispatcher(the_dispatcher),
      limits(the_limits),
      loops_(loops),
      index_(index),
      all_(all),
      buffer_(std::make_unique<char[]>(buffer_size + padding)) {}

Connections::~Connections() {
  for (const auto& connection : snapshot()) connection->drop();
}

void Connections::add(std::shared_ptr<Connection> connection) {
  Connection* key = connection.get();
  open_.emplace(key, std::move(connection));
}

void Connections::close_all() {
  closing = true;
  for (const auto& connection : snapshot()) connection->close();
}

/// Closing one connection may take others out of the table.
std::vector<std::shared_ptr<Connection>> Connections::snapshot() const {
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(open_.size());
  for (const auto& [key, connection] : open_) all.push_back(connection);
  return all;
}

Connections::Got Connections::read(Socket& socket, std::span<char>& bytes) {
  // Where this is what woke the loop, its turn counts from here.
  (void)loop.now();
  boost::system::error_code fault;
  const std::size_t size = socket.read_some(boost::asio::buffer(buffer_.get(), buffer_size), fault);
  if (fault == boost::asio::error::would_block) return Got::nothing;
  if (fault == boost::asio::error::eof) return Got::end;
  if (fault) return Got::failure;
  counters.bytes_received += size;
  bytes = {buffer_.get(), size};
  return Got::bytes;
}

}  // namespace agentd::http
