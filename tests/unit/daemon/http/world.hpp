#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/async/loops.hpp"
#include "daemon/http/server.hpp"
#include "daemon/rpc/dispatcher.hpp"

namespace agentd::http::test {

/// Answers what the text asks for. Loop thread only.
///
/// Bodies: `later` is kept until `release`; `nothing` has no answer; `long N` is answered by N bytes;
/// anything else is echoed. Frames: `flood N` is answered by N messages of 1 KiB; `pair` by two; `put` by
/// two with a frame `[2,3]` between them that was put; anything else is echoed.
class FakeDispatcher : public rpc::Dispatcher {
public:
  Interest handle_body(std::string_view body, Answer answer) override;
  void handle_frame(const std::shared_ptr<rpc::Channel>& channel, std::string_view frame) override;
  void channel_closed(const rpc::Channel& channel) override;
  [[nodiscard]] const std::string& openrpc() const override { return openrpc_; }
  [[nodiscard]] std::string metrics() const override { return "agentd_up 1\n"; }
  [[nodiscard]] bool ready() const override { return is_ready; }
  [[nodiscard]] const std::string& boot() const override { return boot_; }

  bool is_ready = true;
  std::vector<Answer> kept;
  /// Of those that are kept: gone where nobody waits for the answer any more.
  std::vector<std::weak_ptr<void>> interests;
  std::size_t bodies = 0;
  std::size_t frames = 0;
  std::vector<std::string> callers;
  std::size_t closed_channels = 0;

private:
  std::string openrpc_ = R"({"openrpc":"1.3.2"})";
  std::string boot_ = "boot-1";
};

/// A server on a free port. Each of its loops has a thread of its own.
class World {
public:
  explicit World(ServerSettings settings = {}, std::size_t loops = 1);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Runs `work` on the first loop and waits for it.
  void on_loop(const std::function<void(Server&, FakeDispatcher&)>& work);
  /// Runs `work` on that loop, with its dispatcher, and waits for it.
  void on_loop(std::size_t index, const std::function<void(FakeDispatcher&)>& work);
  /// For what any thread may ask.
  [[nodiscard]] const Server& server() const { return *server_; }
  [[nodiscard]] std::size_t connections();
  /// Waits until `holds` does, asked on the first loop; fails the test where it never does.
  void eventually(const std::function<bool(Server&, FakeDispatcher&)>& holds);
  /// Answers all bodies that said `later`, once `count` of them are there.
  void release(std::size_t count, const std::string& text);

private:
  async::Loops loops_;
  std::deque<FakeDispatcher> dispatchers_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;
};

struct Response {
  unsigned status = 0;
  std::string head;
  std::string body;

  /// Empty where there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
};

struct Frame {
  unsigned opcode = 0;
  std::string payload;
  /// Of a close frame.
  [[nodiscard]] unsigned code() const;
};

/// A socket that blocks, though never for long: what does not come fails the test.
class Client {
public:
  explicit Client(std::uint16_t port, int receive_buffer = 0);
  explicit Client(const World& world) : Client(world.port()) {}
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  void end_sending();
  void close();
  /// Gone without goodbye: the server is told that there is nobody.
  void reset();

  /// `with_body` false: the answer to a HEAD.
  Response response(bool with_body = true);
  Frame frame();
  /// Whether the server has ended the connection, and nothing came before that.
  [[nodiscard]] bool ended();
  /// Reads until the server ends the connection, with a pause after each 64 KiB at most; answers how much
  /// there was.
  std::size_t bytes_to_the_end(std::chrono::milliseconds pause);

  /// Sends a GET or POST with the headers that curl would send, and reads the answer.
  Response get(std::string_view path, std::string_view headers = {});
  Response post(std::string_view body, std::string_view headers = {});
  /// Sends the upgrade and reads the answer.
  Response upgrade(std::string_view path = "/ws", std::string_view headers = {});

private:
  bool receive_more();
  std::string take(std::size_t size);

  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::string received_;
};

}  // namespace agentd::http::test
