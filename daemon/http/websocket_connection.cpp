#include "daemon/http/websocket_connection.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace agentd::http {

namespace {

/// How much is handed to the socket at once.
constexpr std::size_t write_size = 256U << 10;
constexpr unsigned max_unanswered_pings = 2;
/// How often a slow message's rate is looked at.
constexpr std::chrono::milliseconds rate_check{1'000};

FrameParser::Limits frame_limits(const ServerLimits& limits, bool takes_batches) {
  return {.message = takes_batches ? std::max(limits.batch_message, limits.body) : limits.body,
          .fragments = limits.fragments};
}

std::string close_payload(CloseCode code, std::string_view why) {
  if (code == CloseCode::no_status) return {};
  const auto number = static_cast<unsigned>(code);
  std::string payload{static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
  payload += why;
  return payload;
}

bool is_batch(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '[';
}

}  // namespace

WebSocketConnection::WebSocketConnection(Connections& all, Connections::Socket socket, Upgrade upgrade)
    : all_(all),
      socket_(std::move(socket)),
      timer_(*this),
      caller_(std::move(upgrade.caller)),
      parser_(frame_limits(all.limits, upgrade.takes_batches)) {
  outbox_.pack(upgrade.takes_batches);
}

void WebSocketConnection::start(SendQueue queue) {
  ++all_.counters.websockets;
  queue_ = std::move(queue);
  ping_at_ = Clock::now() + all_.limits.ping_interval;
  start_timer();
  flush();
}

std::shared_ptr<WebSocketConnection> WebSocketConnection::self() {
  return std::static_pointer_cast<WebSocketConnection>(shared_from_this());
}

// Reading

bool WebSocketConnection::may_read() const {
  if (state_ == State::closing) return true;
  return state_ == State::open && waiting() <= all_.limits.read_pause &&
         requests_elsewhere_ <= all_.limits.read_pause;
}

void WebSocketConnection::requests_done(std::size_t bytes) {
  requests_elsewhere_ -= bytes;
  wait_for_input();
}

void WebSocketConnection::wait_for_input() {
  if (reading_ || !may_read()) return;
  reading_ = true;
  socket_.async_wait(Connections::Socket::wait_read, [self = self()](const boost::system::error_code& fault) {
    self->reading_ = false;
    if (!fault && self->state_ != State::dropped) self->on_readable();
  });
}

void WebSocketConnection::on_readable() {
  std::span<char> bytes;
  switch (all_.read(socket_, bytes)) {
    case Connections::Got::bytes:
      return take(bytes);
    case Connections::Got::nothing:
      return wait_for_input();
    case Connections::Got::end:
    case Connections::Got::failure:
      return drop();
  }
}

void WebSocketConnection::take(std::span<char> bytes) {
  heard_ = true;
  unanswered_pings_ = 0;
  while (state_ == State::open || state_ == State::closing) {
    const FrameEvent event = parser_.next(bytes);
    if (event.kind == FrameEvent::Kind::more) break;
    handle(event);
  }
  time_message();
  // What the messages brought leaves at the turn's end; a pong or a goodbye leaves now.
  if (!queue_.empty()) flush();
  wait_for_input();
}

void WebSocketConnection::handle(const FrameEvent& event) {
  if (event.kind == FrameEvent::Kind::close) return on_close(event.code);
  if (state_ != State::open) return;
  switch (event.kind) {
    case FrameEvent::Kind::message:
      return on_message(event.payload);
    case FrameEvent::Kind::ping:
      return on_ping(event.payload);
    case FrameEvent::Kind::fault:
      ++all_.counters.dropped;
      return begin_close(event.code, event.payload, State::closing);
    default:
      return;
  }
}

void WebSocketConnection::on_message(std::string_view text) {
  ++all_.counters.frames_received;
  message_pace_.end();
  if (is_batch(text)) outbox_.batch_came();
  all_.dispatcher.handle_frame(shared_from_this(), text);
}

/// A message that has begun must come on as a body must.
void WebSocketConnection::time_message() {
  if (!parser_.is_midway()) {
    message_pace_.end();
    look_at_message_ = Clock::time_point::max();
  } else if (!message_pace_.running()) {
    look_at_message_ = Clock::now() + all_.limits.body_grace;
    message_pace_.begin(look_at_message_);
    start_timer();
  }
}

bool WebSocketConnection::message_comes_too_slowly(Clock::time_point now) {
  if (now < look_at_message_) return false;
  look_at_message_ = now + rate_check;
  // While nothing is read, it is not the client who is slow.
  if (!may_read()) message_pace_.begin(now + all_.limits.body_grace, parser_.received());
  return !message_pace_.keeps(all_.limits.bytes_per_second, parser_.received(), now);
}

void WebSocketConnection::on_ping(std::string_view payload) {
  const auto now = Clock::now();
  if (now - ping_window_ >= std::chrono::seconds(1)) {
    ping_window_ = now;
    pings_in_window_ = 0;
  }
  if (++pings_in_window_ > all_.limits.pings_per_second) {
    ++all_.counters.dropped;
    return begin_close(CloseCode::policy, "too many pings", State::closing);
  }
  push_frame(Opcode::pong, std::string(payload));
}

// Closing

void WebSocketConnection::close() {
  if (state_ != State::open) return;
  fill_queue(std::numeric_limits<std::size_t>::max());
  begin_close(CloseCode::going_away, "this node is stopping", State::closing);
  flush();
}

void WebSocketConnection::on_close(CloseCode code) {
  if (state_ == State::closing) {
    state_ = State::leaving;
    return flush();
  }
  begin_close(code, {}, State::leaving);
}

void WebSocketConnection::begin_close(CloseCode code, std::string_view why, State next) {
  leave_open_state(next);
  push_frame(Opcode::close, close_payload(code, why));
  close_by_ = Clock::now() + all_.limits.close_time;
  start_timer();
}

void WebSocketConnection::leave_open_state(State next) {
  const bool was_open = state_ == State::open;
  state_ = next;
  if (was_open) all_.dispatcher.channel_closed(*this);
}

void WebSocketConnection::drop() {
  if (state_ == State::dropped) return;
  leave_open_state(State::dropped);
  timer_.cancel();
  --all_.counters.websockets;
  boost::system::error_code ignored;
  socket_.close(ignored);
  all_.remove(this);
}

// Writing

void WebSocketConnection::sent() {
  if (state_ != State::open || flush_scheduled_) return;
  flush_scheduled_ = true;
  all_.loop.at_turn_end([self = self()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void WebSocketConnection::put_frame(std::string frame) {
  if (state_ != State::open) return;
  outbox_.put_frame(std::move(frame));
  sent();
}

void WebSocketConnection::flush() {
  if (state_ == State::dropped) return;
  while (!blocked_) {
    fill_queue(write_size);
    if (queue_.empty()) break;
    const auto sent = queue_.send(socket_, all_.counters.bytes_sent);
    if (sent == SendQueue::Sent::failed) return drop();
    if (sent == SendQueue::Sent::blocked) wait_until_writable();
  }
  if (state_ == State::leaving && queue_.empty()) return drop();
  if (waiting() > all_.limits.write_queue) {
    ++all_.counters.dropped;
    return drop();
  }
  wait_for_input();
}

std::size_t WebSocketConnection::room() const {
  // Half of the bound is left for what cannot be refused.
  const std::size_t most = all_.limits.write_queue / 2;
  return most - std::min(most, waiting());
}

void WebSocketConnection::wait_until_writable() {
  blocked_ = true;
  write_by_ = Clock::now() + all_.limits.write_time;
  start_timer();
  socket_.async_wait(Connections::Socket::wait_write,
                     [self = self()](const boost::system::error_code& fault) {
                       self->blocked_ = false;
                       self->write_by_ = Clock::time_point::max();
                       if (!fault) self->flush();
                     });
}

/// Only while open: once a close frame is queued, nothing may follow it.
void WebSocketConnection::fill_queue(std::size_t up_to) {
  while (state_ == State::open && queue_.bytes() < up_to && !outbox_.empty()) {
    push_frame(Opcode::text, outbox_.take());
    ++all_.counters.frames_sent;
  }
}

void WebSocketConnection::push_frame(Opcode opcode, std::string payload) {
  queue_.push(frame_header(opcode, payload.size()));
  queue_.push(std::move(payload));
}

// Time

void WebSocketConnection::start_timer() {
  const auto ping_at = state_ == State::open ? ping_at_ : Clock::time_point::max();
  const auto look_at = state_ == State::open ? look_at_message_ : Clock::time_point::max();
  all_.loop.start(timer_, std::min({ping_at, look_at, write_by_, close_by_}),
                  [](async::Timer& timer) { OwnedTimer<WebSocketConnection>::owner_of(timer).on_time(); });
}

void WebSocketConnection::on_time() {
  const auto self = this->self();
  const auto now = Clock::now();
  const bool given_up = now >= write_by_ || now >= close_by_;
  if (given_up || (state_ == State::open && now >= ping_at_ && !ping_or_give_up(now))) {
    ++all_.counters.dropped;
    return drop();
  }
  if (state_ == State::open && message_comes_too_slowly(now)) {
    ++all_.counters.dropped;
    begin_close(CloseCode::policy, "the message came too slowly", State::closing);
    flush();
  }
  if (state_ != State::dropped) start_timer();
}

/// False where two pings have had no answer. While nothing is read, no answer can be heard.
bool WebSocketConnection::ping_or_give_up(Clock::time_point now) {
  ping_at_ = now + all_.limits.ping_interval;
  const bool silent = !std::exchange(heard_, false);
  if (!silent || !may_read()) return true;
  if (unanswered_pings_ == max_unanswered_pings) return false;
  ++unanswered_pings_;
  push_frame(Opcode::ping, {});
  flush();
  return true;
}

}  // namespace agentd::http
