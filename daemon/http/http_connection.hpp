#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "daemon/http/answer.hpp"
#include "daemon/http/connection.hpp"
#include "daemon/http/pace.hpp"
#include "daemon/http/request_body.hpp"
#include "daemon/http/request_head.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/http/send_queue.hpp"

namespace agentd::http {

/// One HTTP/1.1 connection: reads a request, has it answered, and only then looks at the next one.
///
/// Waits for the socket and reads into the shared buffer, so that while nothing happens it holds no
/// buffer at all; a request that is there as a whole is handed on without a copy.
class HttpConnection final : public Connection, public std::enable_shared_from_this<HttpConnection> {
public:
  HttpConnection(Connections& all, Connections::Socket socket);

  /// Begins to serve. @pre in the table
  void start();
  /// Begins by refusing: there are too many connections.
  void turn_away();

  void close() override;
  void drop() override;

private:
  using Clock = Connections::Clock;
  using Input = std::span<const char>;

  enum class Phase : std::uint8_t { idle, head, body, answering, lingering };

  void wait_for_input();
  void on_readable();
  void take(std::span<char> bytes);
  /// Writes what is ready and serves what waits, until one of them has to wait for the other side.
  void go_on();

  [[nodiscard]] bool may_serve() const;
  [[nodiscard]] bool serve_kept();
  /// Answers what it could not use yet.
  [[nodiscard]] Input serve(Input input);
  [[nodiscard]] bool serve_head(Input& input);
  void begin_request(const RequestHead& head, Input& input);
  void begin_body(const RequestHead& head, Input& input);
  void serve_body(Input& input);
  void run(std::string_view body);
  void upgrade(const RequestHead& head, Input input);

  void answer(Answer answer);
  void answered(std::string text);

  void flush();
  [[nodiscard]] bool takes_too_slowly();
  void wait_until_writable();
  void linger();

  void expect_by(Clock::time_point deadline);
  void expect_within(std::chrono::milliseconds time) { expect_by(Clock::now() + time); }
  void expect_by_phase();
  void on_time();
  void on_body_time(Clock::time_point now);

  Connections& all_;
  Connections::Socket socket_;
  OwnedTimer<HttpConnection> timer_;
  /// When the timer goes off; when it should; and when the connection ends whatever happens.
  Clock::time_point timer_at_{};
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point end_by_ = Clock::time_point::max();
  SendQueue queue_;
  /// What has arrived and waits: an incomplete header, or further requests.
  std::string kept_;
  HeadScanner scanner_;
  BodyReader body_;
  Pace body_pace_;
  /// While the client does not take at once what is written; and how much it has taken.
  Pace write_pace_;
  std::size_t written_ = 0;

  /// The request that is being served.
  Route route_ = Route::home;
  AnswerForm form_;
  std::string headers_;
  /// While the answer is to come.
  rpc::Dispatcher::Interest interest_;

  Phase phase_ = Phase::idle;
  bool reading_ = false;
  bool blocked_ = false;
  bool dispatching_ = false;
  bool input_ended_ = false;
  bool close_when_sent_ = false;
  bool dropped_ = false;
};

}  // namespace agentd::http
