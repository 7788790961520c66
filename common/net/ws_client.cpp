#include "common/net/ws_client.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace agentd::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t largest_frame = 4U << 20;
/// A client's frames are masked a buffer at a time, and each buffer is a system call.
constexpr std::size_t write_buffer = 64U << 10;
constexpr std::size_t kept_read_buffer = 256U << 10;
constexpr std::chrono::seconds dial_limit{5};
constexpr std::chrono::seconds goodbye_limit{1};

/// Escapes what may not stand in a query's value as it is (RFC 3986, unreserved characters aside).
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

class Connection : public WsClient, public std::enable_shared_from_this<Connection> {
public:
  Connection(async::Loop& loop, const LinkSettings& settings, Listener& listener)
      : settings_(settings),
        listener_(&listener),
        resolver_(loop.context()),
        limit_(loop.context()),
        stream_(loop.context().get_executor()) {}

  void start();
  void send(std::string frame) override;
  void ping() override;
  void abandon() override;
  void finish(std::vector<std::string> frames) override;

private:
  // The loop is one thread and outlives its sockets, so the executor needs no type erasure.
  using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
  using Resolver = asio::ip::basic_resolver<tcp, asio::io_context::executor_type>;

  void limit_to(std::chrono::seconds time, const char* what);
  void resolve();
  void resolved(const Resolver::results_type& results);
  void allow(const tcp::endpoint& endpoint);
  void connect_next();
  void shake_hands();
  void refused();
  void opened();
  void read();
  void write(std::string frame);
  void write_next_farewell();
  void say_goodbye();
  void fail(const std::string& reason);
  void close(const Error& why);
  Error unreachable(const std::string& reason) const;

  LinkSettings settings_;
  Listener* listener_;
  Resolver resolver_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      limit_;
  websocket::stream<Socket, false> stream_;
  websocket::response_type response_;
  beast::flat_buffer received_;
  std::string writing_;
  std::vector<tcp::endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  std::size_t refused_endpoints_ = 0;
  std::string last_reason_;
  std::vector<std::string> farewell_;
  bool write_in_flight_ = false;
  bool ping_in_flight_ = false;
  bool finishing_ = false;
  bool closed_ = false;
};

Error Connection::unreachable(const std::string& reason) const {
  const std::string node = settings_.node.text();
  return Error(ErrorKind::peer_unreachable,
               "cannot reach agentd at " + node + ": " + reason + "; is it running there?")
      .at_node(node);
}

void Connection::start() {
  limit_to(dial_limit, "it did not answer within 5 s");
  error_code no_address;
  const auto address = asio::ip::make_address(settings_.node.host, no_address);
  if (no_address) return resolve();
  allow({address, settings_.node.port});
  // What goes wrong is told later, never from inside `dial`.
  asio::post(stream_.get_executor(), [self = shared_from_this()] { self->connect_next(); });
}

void Connection::limit_to(std::chrono::seconds time, const char* what) {
  limit_.expires_after(time);
  limit_.async_wait([self = shared_from_this(), what](error_code cancelled) {
    if (!cancelled) self->fail(what);
  });
}

void Connection::resolve() {
  resolver_.async_resolve(settings_.node.host, std::to_string(settings_.node.port),
                          [self = shared_from_this()](error_code failed, const auto& results) {
                            if (self->closed_) return;
                            if (failed) return self->fail("its name: " + failed.message());
                            self->resolved(results);
                          });
}

void Connection::resolved(const Resolver::results_type& results) {
  for (const auto& entry : results) allow(entry.endpoint());
  connect_next();
}

void Connection::allow(const tcp::endpoint& endpoint) {
  if (!settings_.may_dial || settings_.may_dial(settings_.node, endpoint.address())) {
    endpoints_.push_back(endpoint);
  } else {
    ++refused_endpoints_;
  }
}

void Connection::connect_next() {
  if (closed_) return;
  if (endpoints_.empty() && refused_endpoints_ > 0) {
    const std::string node = settings_.node.text();
    return close(Error(ErrorKind::peer_refused,
                       "the node " + node + " is not on the list of peers, so it is not dialled")
                     .at_node(node));
  }
  if (next_endpoint_ == endpoints_.size()) {
    return fail(last_reason_.empty() ? "its name has no address" : last_reason_);
  }
  auto& socket = stream_.next_layer();
  error_code ignored;
  socket.close(ignored);
  socket.async_connect(endpoints_[next_endpoint_++], [self = shared_from_this()](error_code failed) {
    if (self->closed_) return;
    if (!failed) return self->shake_hands();
    self->last_reason_ = failed.message();
    self->connect_next();
  });
}

void Connection::shake_hands() {
  error_code ignored;
  stream_.next_layer().set_option(tcp::no_delay(true), ignored);
  stream_.read_message_max(largest_frame);
  stream_.write_buffer_bytes(write_buffer);
  stream_.auto_fragment(false);
  stream_.text(true);
  stream_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
    request.set("Agentd-Batch", "1");
    request.set(http::field::user_agent, "agentd");
    if (!settings_.token.empty()) {
      request.set(http::field::authorization, "Bearer " + settings_.token);
    }
  }));
  const std::string target =
      settings_.caller.empty() ? "/ws" : "/ws?caller=" + percent_encoded(settings_.caller);
  stream_.async_handshake(response_, settings_.node.text(), target,
                          [self = shared_from_this()](error_code failed) {
                            if (self->closed_) return;
                            if (!failed) return self->opened();
                            if (failed == websocket::error::upgrade_declined) return self->refused();
                            self->last_reason_ = failed.message();
                            self->fail(self->last_reason_);
                          });
}

void Connection::refused() {
  const auto status = response_.result_int();
  const std::string answer =
      "it answered " + std::to_string(status) + " " + std::string(http::obsolete_reason(response_.result()));
  if (status != 401 && status != 403) return fail(answer + " instead of a WebSocket");
  const std::string node = settings_.node.text();
  const char* hint = status == 401 ? "check the token that is sent to it"
                                   : "its allowed_hosts must list the name it is dialled by";
  close(Error(ErrorKind::peer_refused, "agentd at " + node + " did not let us in: " + answer + "; " + hint)
            .at_node(node));
}

void Connection::opened() {
  limit_.cancel();
  stream_.control_callback([this](websocket::frame_type type, auto) {
    if (type != websocket::frame_type::close && listener_) listener_->on_sign_of_life();
  });
  Greeting greeting;
  greeting.boot = std::string(response_["Agentd-Boot"]);
  greeting.durable = response_["Agentd-Durability"] == "on";
  read();
  if (listener_) listener_->on_open(greeting);
}

void Connection::read() {
  stream_.async_read(received_, [self = shared_from_this()](error_code failed, std::size_t) {
    if (self->closed_) return;
    if (failed) return self->fail("the connection was lost: " + failed.message());
    const auto data = self->received_.cdata();
    if (self->listener_) {
      self->listener_->on_frame({static_cast<const char*>(data.data()), data.size()});
    }
    self->received_.clear();
    if (self->received_.capacity() > kept_read_buffer) self->received_.shrink_to_fit();
    if (!self->closed_) self->read();
  });
}

void Connection::send(std::string frame) {
  if (!closed_) write(std::move(frame));
}

void Connection::write(std::string frame) {
  writing_ = std::move(frame);
  write_in_flight_ = true;
  stream_.async_write(asio::buffer(writing_), [self = shared_from_this()](error_code failed, std::size_t) {
    self->write_in_flight_ = false;
    if (self->closed_) return;
    if (failed) return self->fail("the connection was lost: " + failed.message());
    if (self->finishing_) return self->write_next_farewell();
    if (self->listener_) self->listener_->on_written();
  });
}

void Connection::ping() {
  if (closed_ || std::exchange(ping_in_flight_, true)) return;
  stream_.async_ping({}, [self = shared_from_this()](error_code) { self->ping_in_flight_ = false; });
}

void Connection::finish(std::vector<std::string> frames) {
  listener_ = nullptr;
  if (closed_) return;
  if (!stream_.is_open()) return abandon();
  finishing_ = true;
  farewell_ = std::move(frames);
  limit_to(goodbye_limit, "it did not say goodbye");
  if (!write_in_flight_) write_next_farewell();
}

void Connection::write_next_farewell() {
  if (farewell_.empty()) return say_goodbye();
  std::string frame = std::move(farewell_.front());
  farewell_.erase(farewell_.begin());
  write(std::move(frame));
}

void Connection::say_goodbye() {
  stream_.async_close(websocket::close_code::going_away,
                      [self = shared_from_this()](error_code) { self->abandon(); });
}

void Connection::fail(const std::string& reason) { close(unreachable(reason)); }

void Connection::close(const Error& why) {
  if (closed_) return;
  Listener* listener = std::exchange(listener_, nullptr);
  abandon();
  if (listener) listener->on_closed(why);
}

void Connection::abandon() {
  listener_ = nullptr;
  closed_ = true;
  limit_.cancel();
  resolver_.cancel();
  error_code ignored;
  stream_.next_layer().close(ignored);
}

}  // namespace

std::shared_ptr<WsClient> WsClient::dial(async::Loop& loop, const LinkSettings& settings,
                                         Listener& listener) {
  auto connection = std::make_shared<Connection>(loop, settings, listener);
  connection->start();
  return connection;
}

}  // namespace agentd::net
