#include "daemon/http/http_connection.hpp"

#include <utility>
#include <variant>

#include <agentd/ids.hpp>

#include "daemon/http/upgrade.hpp"
#include "daemon/http/websocket_connection.hpp"

namespace agentd::http {

namespace {

/// Requests that came while an earlier one is being answered are kept up to so many bytes; then the
/// socket is left alone.
constexpr std::size_t max_read_ahead = 64U << 10;
/// A body of this size is cheaper to copy behind its header than to hand on beside it.
constexpr std::size_t small_body = 4096;
constexpr std::size_t usual_head = 256;
/// Of the caller of a WebSocket that names none.
constexpr std::size_t minted_length = 16;
/// How often a slow body's rate is looked at.
constexpr std::chrono::milliseconds rate_check{1'000};

}  // namespace

HttpConnection::HttpConnection(Connections& all, Connections::Socket socket)
    : all_(all), socket_(std::move(socket)), timer_(*this) {}

void HttpConnection::start() {
  expect_within(all_.limits.header_time);
  wait_for_input();
}

void HttpConnection::turn_away() {
  end_by_ = Clock::now() + all_.limits.close_time;
  answer(refuse_and_close(503, "too many connections; try again later"));
  go_on();
}

void HttpConnection::close() {
  const bool busy = phase_ == Phase::answering || phase_ == Phase::lingering || !queue_.empty();
  if (!busy) return drop();
  close_when_sent_ = phase_ != Phase::answering;
  end_by_ = Clock::now() + all_.limits.close_time;
  expect_by(deadline_);
}

void HttpConnection::drop() {
  if (dropped_) return;
  dropped_ = true;
  timer_.cancel();
  interest_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
  all_.remove(this);
}

// Reading

void HttpConnection::wait_for_input() {
  const bool enough = kept_.size() >= max_read_ahead && phase_ != Phase::lingering;
  if (reading_ || enough || input_ended_ || dropped_) return;
  reading_ = true;
  socket_.async_wait(Connections::Socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& fault) {
                       self->reading_ = false;
                       if (!fault && !self->dropped_) self->on_readable();
                     });
}

void HttpConnection::on_readable() {
  std::span<char> bytes;
  switch (all_.read(socket_, bytes)) {
    case Connections::Got::bytes:
      take(bytes);
      break;
    case Connections::Got::nothing:
      break;
    // Only the client's side has ended: it may still want its answers, for a while. A client that has gone
    // looks the same.
    case Connections::Got::end:
      input_ended_ = true;
      if (phase_ == Phase::answering) expect_by_phase();
      break;
    case Connections::Got::failure:
      drop();
      break;
  }
  go_on();
}

void HttpConnection::take(std::span<char> bytes) {
  if (phase_ == Phase::lingering) return;
  if (!kept_.empty() || !may_serve()) {
    kept_.append(bytes.data(), bytes.size());
    return;
  }
  const Input rest = serve(bytes);
  kept_.assign(rest.data(), rest.size());
}

void HttpConnection::go_on() {
  if (dropped_) return;
  do {
    flush();
  } while (serve_kept());
  if (dropped_) return;
  const bool at_work = phase_ == Phase::answering || !queue_.empty();
  if (input_ended_ && !at_work) return drop();
  wait_for_input();
}

// Serving

bool HttpConnection::may_serve() const {
  const bool between = phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body;
  return between && !blocked_ && !close_when_sent_ && !dropped_ && queue_.bytes() < all_.limits.read_pause;
}

/// True where it got any further.
bool HttpConnection::serve_kept() {
  if (dropped_ || kept_.empty() || !may_serve()) return false;
  std::string input = std::exchange(kept_, {});
  const std::size_t size = input.size();
  input.append(BodyReader::padding, '\0');
  const std::size_t left = serve(Input(input).first(size)).size();
  if (dropped_) return false;
  input.resize(size);
  kept_ = left == size ? std::move(input) : input.substr(size - left);
  return left < size;
}

HttpConnection::Input HttpConnection::serve(Input input) {
  bool going = true;
  while (going && !input.empty() && may_serve()) {
    if (phase_ == Phase::body) {
      serve_body(input);
    } else {
      going = serve_head(input);
    }
  }
  return input;
}

/// False where the header is not complete.
bool HttpConnection::serve_head(Input& input) {
  const std::string_view bytes(input.data(), input.size());
  const HeadScanner::State state = scanner_.scan(bytes);
  const bool complete = state == HeadScanner::State::complete;
  if (state == HeadScanner::State::malformed) {
    answer(
        refuse_and_close(400, "malformed request: a bare CR or LF, or a control character, in the header"));
    return true;
  }
  if ((complete ? scanner_.size() : bytes.size()) > all_.limits.header) {
    answer(
        refuse_and_close(431, "the header is longer than " + std::to_string(all_.limits.header) + " bytes"));
    return true;
  }
  if (!complete) {
    if (phase_ == Phase::idle) expect_within(all_.limits.header_time);
    phase_ = Phase::head;
    return false;
  }
  const std::string_view block = bytes.substr(0, scanner_.size());
  input = input.subspan(block.size());
  scanner_.reset();
  // RFC 9112, 2.2: an empty line before a request is skipped.
  if (block.size() <= 2) return true;
  RequestHead head;
  if (auto refusal = read_head(block, head)) {
    form_ = {};
    answer(std::move(*refusal));
  } else {
    begin_request(head, input);
  }
  return true;
}

void HttpConnection::begin_request(const RequestHead& head, Input& input) {
  ++all_.counters.requests;
  form_.head_only = head.method == "HEAD";
  form_.close = !head.persistent();
  form_.say_keep_alive = head.minor == 0;
  Plan plan = plan_request(head, all_.policy);
  headers_ = std::move(plan.headers);
  route_ = plan.route;
  if (plan.answer) {
    plan.answer->close = plan.answer->close || head.has_body();
    answer(std::move(*plan.answer));
  } else if (route_ == Route::websocket) {
    upgrade(head, input);
  } else {
    begin_body(head, input);
  }
}

void HttpConnection::begin_body(const RequestHead& head, Input& input) {
  if (head.content_length.value_or(0) > all_.limits.body) {
    return answer(
        refuse_and_close(413, "the body is longer than " + std::to_string(all_.limits.body) + " bytes"));
  }
  if (head.chunked) {
    body_.expect_chunks(all_.limits.body);
  } else {
    body_.expect_length(head.content_length.value_or(0));
  }
  const bool asks_first = head.expects_continue && head.has_body() && input.empty();
  if (asks_first) queue_.push("HTTP/1.1 100 Continue\r\n\r\n");
  phase_ = Phase::body;
  body_pace_.end();
  serve_body(input);
}

void HttpConnection::serve_body(Input& input) {
  switch (body_.feed(input)) {
    case BodyReader::State::complete:
      return run(body_.text());
    case BodyReader::State::malformed:
      return answer(refuse_and_close(400, "malformed request: the chunks of the body are not well-formed"));
    case BodyReader::State::too_large:
      return answer(
          refuse_and_close(413, "the body is longer than " + std::to_string(all_.limits.body) + " bytes"));
    case BodyReader::State::partial:
      break;
  }
  if (body_pace_.running()) return;
  body_pace_.begin(Clock::now());
  expect_within(all_.limits.body_grace);
}

void HttpConnection::run(std::string_view body) {
  if (route_ != Route::rpc) return answer(show(route_, all_.dispatcher));
  phase_ = Phase::answering;
  expect_by_phase();
  dispatching_ = true;
  auto interest = all_.dispatcher.handle_body(body, [connection = weak_from_this()](std::string text) {
    if (const auto self = connection.lock()) self->answered(std::move(text));
  });
  if (phase_ == Phase::answering) interest_ = std::move(interest);
  dispatching_ = false;
  body_.release();
}

void HttpConnection::upgrade(const RequestHead& head, Input input) {
  auto wanted = read_upgrade(head);
  if (auto* refusal = std::get_if<Answer>(&wanted)) return answer(std::move(*refusal));
  if (!input.empty() || all_.closing) {
    return answer(all_.closing ? refuse_and_close(503, "this node is stopping")
                               : refuse_and_close(400, "bytes behind the upgrade, before it was answered"));
  }
  auto& upgrade = std::get<Upgrade>(wanted);
  if (upgrade.caller.empty()) upgrade.caller = "ws-" + random_suffix(minted_length);
  queue_.push(accept_upgrade(upgrade, all_.dispatcher.boot()));
  dropped_ = true;
  timer_.cancel();
  boost::system::error_code ignored;
  if (reading_) socket_.cancel(ignored);
  all_.let_go(this);
  const std::size_t home = all_.loop_of_caller(upgrade.caller);
  all_.go_on_at(home, std::move(socket_),
                [upgrade = std::move(upgrade), queue = std::move(queue_)](
                    Connections& there, Connections::Socket socket) mutable {
                  const auto websocket =
                      std::make_shared<WebSocketConnection>(there, std::move(socket), std::move(upgrade));
                  there.add(websocket);
                  websocket->start(std::move(queue));
                  // While it was on its way there.
                  if (there.closing) websocket->close();
                });
}

// Answering

void HttpConnection::answer(Answer answer) {
  AnswerForm form = form_;
  form.close = form.close || answer.close || all_.closing;
  form.say_keep_alive = form.say_keep_alive && !form.close;
  if (answer.status >= 400 && answer.status < 500) ++all_.counters.refused;
  answer.headers += headers_;
  const bool small = answer.body.size() <= small_body;
  std::string head;
  head.reserve(usual_head + answer.headers.size() + (small ? answer.body.size() : 0));
  append_head(head, answer, form);
  if (small && !form.head_only) head += answer.body;
  queue_.push(std::move(head));
  if (!small && !form.head_only) queue_.push(std::move(answer.body));
  headers_.clear();
  close_when_sent_ = form.close;
  phase_ = Phase::idle;
  // A write that is stuck has its own limit.
  if (!blocked_) expect_by_phase();
}

/// May come while the request is being handed over, later, or when nobody waits any more.
void HttpConnection::answered(std::string text) {
  if (dropped_ || phase_ != Phase::answering) return;
  interest_.reset();
  Answer json;
  json.status = text.empty() ? 204 : 200;
  json.type = Answer::json;
  json.body = std::move(text);
  answer(std::move(json));
  if (dispatching_) return;
  // Not now: serving the next request would enter the dispatcher from within itself.
  all_.loop.at_turn_end([self = shared_from_this()] { self->go_on(); });
}

// Writing

void HttpConnection::flush() {
  if (dropped_ || blocked_) return;
  const std::size_t waiting = queue_.bytes();
  const auto sent = queue_.send(socket_, all_.counters.bytes_sent);
  written_ += waiting - queue_.bytes();
  switch (sent) {
    case SendQueue::Sent::failed:
      return drop();
    case SendQueue::Sent::blocked:
      return wait_until_writable();
    case SendQueue::Sent::all:
      write_pace_.end();
      break;
  }
  if (close_when_sent_ && phase_ != Phase::lingering) linger();
}

/// What waits takes memory, so a client that takes some of it now and then must keep a rate.
bool HttpConnection::takes_too_slowly() {
  const auto now = Clock::now();
  if (!write_pace_.running()) write_pace_.begin(now, written_);
  return write_pace_.taken(now) > all_.limits.write_time &&
         !write_pace_.keeps(all_.limits.bytes_per_second, written_, now);
}

void HttpConnection::wait_until_writable() {
  if (takes_too_slowly()) {
    ++all_.counters.dropped;
    return drop();
  }
  blocked_ = true;
  expect_within(all_.limits.write_time);
  socket_.async_wait(Connections::Socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& fault) {
                       self->blocked_ = false;
                       if (fault || self->dropped_) return;
                       self->expect_by_phase();
                       self->go_on();
                     });
}

/// Closing while the client still sends would reset the connection, and the client might never see
/// the answer: so our side ends, and the client has a moment to end its own.
void HttpConnection::linger() {
  phase_ = Phase::lingering;
  kept_.clear();
  boost::system::error_code ignored;
  socket_.shutdown(Connections::Socket::shutdown_send, ignored);
  expect_by_phase();
}

// Time

/// The timer is left where it is when the deadline moves away: it finds that out when it goes off.
void HttpConnection::expect_by(Clock::time_point deadline) {
  deadline_ = std::min(deadline, end_by_);
  if (deadline_ == Clock::time_point::max() || (timer_.pending() && timer_at_ <= deadline_)) return;
  timer_at_ = deadline_;
  all_.loop.start(timer_, deadline_,
                  [](async::Timer& timer) { OwnedTimer<HttpConnection>::owner_of(timer).on_time(); });
}

void HttpConnection::expect_by_phase() {
  switch (phase_) {
    case Phase::idle:
      return expect_within(all_.limits.idle_time);
    case Phase::head:
      return expect_within(all_.limits.header_time);
    case Phase::body:
      return expect_within(rate_check);
    case Phase::answering:
      if (input_ended_) return expect_within(all_.limits.half_closed_time);
      return expect_by(Clock::time_point::max());
    case Phase::lingering:
      return expect_within(all_.limits.close_time);
  }
}

void HttpConnection::on_time() {
  const auto self = shared_from_this();
  const auto now = Clock::now();
  if (now < deadline_) return expect_by(deadline_);
  if (now >= end_by_ || blocked_) {
    ++all_.counters.dropped;
    return drop();
  }
  switch (phase_) {
    case Phase::head:
      form_ = {};
      answer(refuse_and_close(408, "the header was not complete in time"));
      return go_on();
    case Phase::body:
      return on_body_time(now);
    case Phase::answering:
    case Phase::idle:
    case Phase::lingering:
      return drop();
  }
}

void HttpConnection::on_body_time(Clock::time_point now) {
  if (body_pace_.keeps(all_.limits.bytes_per_second, body_.received(), now)) return expect_within(rate_check);
  answer(refuse_and_close(408, "the body came too slowly"));
  go_on();
}

}  // namespace agentd::http
