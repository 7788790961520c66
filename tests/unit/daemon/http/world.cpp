#include "tests/unit/daemon/http/world.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>

#include <catch2/catch.hpp>

namespace agentd::http::test {

namespace {

constexpr std::chrono::seconds patience{20};
constexpr std::size_t kibibyte = 1024;

std::size_t number_after(std::string_view text, std::string_view word) {
  return std::stoul(std::string(text.substr(word.size())));
}

}  // namespace

rpc::Dispatcher::Interest FakeDispatcher::handle_body(std::string_view body, Answer answer) {
  ++bodies;
  if (body == "later") {
    kept.push_back(std::move(answer));
    auto interest = std::make_shared<int>();
    interests.push_back(interest);
    return interest;
  }
  if (body == "nothing") {
    answer("");
  } else if (body.starts_with("long ")) {
    answer(std::string(number_after(body, "long "), 'x'));
  } else {
    answer(std::string(body));
  }
  return nullptr;
}

void FakeDispatcher::handle_frame(const std::shared_ptr<rpc::Channel>& channel, std::string_view frame) {
  ++frames;
  callers.push_back(channel->caller());
  const auto say = [&](std::string_view text) {
    channel->outbox().begin().append(text);
    channel->outbox().end();
    channel->sent();
  };
  if (frame == "pair") {
    say("1");
    say("2");
  } else if (frame == "put") {
    say("1");
    channel->put_frame("[2,3]");
    say("4");
  } else if (frame.starts_with("flood ")) {
    for (std::size_t i = number_after(frame, "flood "); i > 0; --i) say(std::string(kibibyte, 'x'));
  } else {
    say(frame);
  }
}

void FakeDispatcher::channel_closed(const rpc::Channel& channel) {
  if (channel.closed()) ++closed_channels;
}

World::World(ServerSettings settings, std::size_t loops) : loops_(loops), dispatchers_(loops) {
  std::vector<rpc::Dispatcher*> dispatchers;
  for (FakeDispatcher& dispatcher : dispatchers_) dispatchers.push_back(&dispatcher);
  server_ = std::make_unique<Server>(loops_, dispatchers, std::move(settings));
  const auto listening = server_->listen();
  if (!listening) throw std::runtime_error(listening.error().message());
  port_ = server_->listening().port;
  for (std::size_t i = 0; i < loops; ++i) threads_.emplace_back([this, i] { loops_[i].run(); });
}

World::~World() {
  for (std::size_t i = 0; i < loops_.count(); ++i) loops_[i].stop();
  for (std::thread& thread : threads_) thread.join();
}

void World::on_loop(const std::function<void(Server&, FakeDispatcher&)>& work) {
  on_loop(0, [&](FakeDispatcher& dispatcher) { work(*server_, dispatcher); });
}

void World::on_loop(std::size_t index, const std::function<void(FakeDispatcher&)>& work) {
  std::promise<void> done;
  loops_[index].post([&] {
    work(dispatchers_[index]);
    done.set_value();
  });
  done.get_future().wait();
}

std::size_t World::connections() {
  std::size_t count = 0;
  on_loop([&](Server& server, FakeDispatcher&) { count = server.connections(); });
  return count;
}

void World::eventually(const std::function<bool(Server&, FakeDispatcher&)>& holds) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (bool held = false; !held;) {
    on_loop([&](Server& server, FakeDispatcher& dispatcher) { held = holds(server, dispatcher); });
    if (!held && std::chrono::steady_clock::now() > until) throw std::runtime_error("it never came to hold");
    std::this_thread::yield();
  }
}

void World::release(std::size_t count, const std::string& text) {
  eventually([&](Server&, FakeDispatcher& dispatcher) { return dispatcher.kept.size() == count; });
  on_loop([&](Server&, FakeDispatcher& dispatcher) {
    for (auto& answer : std::exchange(dispatcher.kept, {})) answer(text);
  });
}

std::string Response::header(std::string_view name) const {
  const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

unsigned Frame::code() const {
  if (payload.size() < 2) return 0;
  return static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
}

Client::Client(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(port) {
  const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (receive_buffer > 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect");
  }
}

Client::~Client() { close(); }

void Client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Client::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // The server has closed: what it said before that is what counts.
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Client::end_sending() { ::shutdown(socket_, SHUT_WR); }

std::size_t Client::bytes_to_the_end(std::chrono::milliseconds pause) {
  std::size_t bytes = 0;
  do {
    bytes += received_.size();
    received_.clear();
    std::this_thread::sleep_for(pause);
  } while (receive_more());
  return bytes;
}

/// False at the connection's end.
bool Client::receive_more() {
  char buffer[65536];
  const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
  if (size > 0) {
    received_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  if (size == 0 || errno == ECONNRESET) return false;
  throw std::runtime_error("nothing came in time");
}

std::string Client::take(std::size_t size) {
  while (received_.size() < size) {
    if (!receive_more()) throw std::runtime_error("the connection ended early");
  }
  std::string taken = received_.substr(0, size);
  received_.erase(0, size);
  return taken;
}

Response Client::response(bool with_body) {
  while (received_.find("\r\n\r\n") == std::string::npos) {
    if (!receive_more()) throw std::runtime_error("the connection ended before an answer");
  }
  Response response;
  response.head = take(received_.find("\r\n\r\n") + 4);
  response.status = static_cast<unsigned>(std::stoul(response.head.substr(response.head.find(' '))));
  const std::string length = response.header("Content-Length");
  if (with_body && !length.empty()) response.body = take(std::stoul(length));
  return response;
}

Frame Client::frame() {
  const std::string start = take(2);
  std::size_t size = static_cast<unsigned char>(start[1]);
  if (size >= 126) {
    const std::string extended = take(size == 126 ? 2 : 8);
    size = 0;
    for (const char c : extended) size = size << 8 | static_cast<unsigned char>(c);
  }
  return {.opcode = static_cast<unsigned char>(start[0]) & 0x0fU, .payload = take(size)};
}

bool Client::ended() { return received_.empty() && !receive_more(); }

Response Client::get(std::string_view path, std::string_view headers) {
  send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port_) + "\r\n" +
       std::string(headers) + "\r\n");
  return response();
}

Response Client::post(std::string_view body, std::string_view headers) {
  send("POST /rpc HTTP/1.1\r\nHost: localhost:" + std::to_string(port_) +
       "\r\nAccept: */*\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
       std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body));
  return response();
}

Response Client::upgrade(std::string_view path, std::string_view headers) {
  return get(path,
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 std::string(headers));
}

}  // namespace agentd::http::test
