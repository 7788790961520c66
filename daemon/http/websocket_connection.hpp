#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/protocol/outbox.hpp"
#include "daemon/http/connection.hpp"
#include "daemon/http/frames.hpp"
#include "daemon/http/pace.hpp"
#include "daemon/http/send_queue.hpp"
#include "daemon/http/upgrade.hpp"
#include "daemon/rpc/dispatcher.hpp"

namespace agentd::http {

/// One WebSocket: frames in to the dispatcher, what the dispatcher puts into the outbox out.
///
/// All that a turn of the loop produced leaves in one write at its end. Waits for the socket and reads
/// into the shared buffer, so that while nothing happens it holds no buffer; a message that is there
/// as a whole is handed on without a copy.
class WebSocketConnection final : public Connection, public rpc::Channel {
public:
  /// @pre the upgrade has a caller
  WebSocketConnection(Connections& all, Connections::Socket socket, Upgrade upgrade);

  /// Sends what HTTP still had to send (the upgrade's answer is its end), then serves. @pre in the table
  void start(SendQueue queue);

  void close() override;
  void drop() override;

  protocol::Outbox& outbox() override { return outbox_; }
  void sent() override;
  void put_frame(std::string frame) override;
  void requests_sent(std::size_t bytes) override { requests_elsewhere_ += bytes; }
  void requests_done(std::size_t bytes) override;
  [[nodiscard]] bool closed() const override { return state_ != State::open; }
  [[nodiscard]] std::size_t room() const override;
  [[nodiscard]] bool takes_batches() const override { return outbox_.packs(); }
  [[nodiscard]] const std::string& caller() const override { return caller_; }

private:
  /// The bytes that wait to be written.
  [[nodiscard]] std::size_t waiting() const { return outbox_.bytes() + queue_.bytes(); }
  using Clock = Connections::Clock;
  /// `closing`: a close frame is on its way, and the client's is waited for. `leaving`: both have been
  /// said; the socket closes when all is sent.
  enum class State : std::uint8_t { open, closing, leaving, dropped };

  std::shared_ptr<WebSocketConnection> self();
  void wait_for_input();
  [[nodiscard]] bool may_read() const;
  void on_readable();
  void take(std::span<char> bytes);
  void handle(const FrameEvent& event);
  void on_message(std::string_view text);
  void time_message();
  [[nodiscard]] bool message_comes_too_slowly(Clock::time_point now);
  void on_ping(std::string_view payload);
  void on_close(CloseCode code);

  void begin_close(CloseCode code, std::string_view why, State next);
  void leave_open_state(State next);

  void flush();
  void wait_until_writable();
  void fill_queue(std::size_t up_to);
  void push_frame(Opcode opcode, std::string payload);

  void on_time();
  [[nodiscard]] bool ping_or_give_up(Clock::time_point now);
  void start_timer();

  Connections& all_;
  Connections::Socket socket_;
  OwnedTimer<WebSocketConnection> timer_;
  std::string caller_;
  protocol::Outbox outbox_;
  SendQueue queue_;
  /// Bytes of what came here and waits to be looked at on other loops.
  std::size_t requests_elsewhere_ = 0;
  FrameParser parser_;

  /// Of the message that is coming, and when it is looked at.
  Pace message_pace_;
  Clock::time_point look_at_message_ = Clock::time_point::max();
  Clock::time_point ping_at_;
  /// When a write must have made progress, and when closing must be over.
  Clock::time_point write_by_ = Clock::time_point::max();
  Clock::time_point close_by_ = Clock::time_point::max();
  Clock::time_point ping_window_{};
  unsigned pings_in_window_ = 0;
  unsigned unanswered_pings_ = 0;

  State state_ = State::open;
  bool heard_ = false;
  bool reading_ = false;
  bool blocked_ = false;
  bool flush_scheduled_ = false;
};

}  // namespace agentd::http
