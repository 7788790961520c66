#include "common/net/node_link.hpp"

#include <utility>

#include "common/net/reconnect.hpp"
#include "common/net/waiting_calls.hpp"
#include "common/net/ws_client.hpp"

namespace agentd::net {
namespace {

/// Performs what the waiting calls ask for: dials, writes, dials again, pings, gives up.
class Link : public NodeLink,
             public std::enable_shared_from_this<Link>,
             private WsClient::Listener,
             private WaitingCalls::Clockwork {
public:
  Link(async::Loop& loop, LinkSettings settings)
      : loop_(loop),
        settings_(std::move(settings)),
        calls_(settings_.node, *this),
        redial_(settings_.give_up_after) {}
  ~Link() override {
    if (socket_) socket_->abandon();
  }

  void call(const CallId& call, std::string params, NodeLink::Clock::time_point deadline,
            OnSettled on_settled, OnProgress on_progress) override {
    begin_wait();
    calls_.call(call, std::move(params), deadline, std::move(on_settled), std::move(on_progress));
  }
  void subscribe(const CallId& call, NodeLink::Clock::time_point deadline, OnSettled on_settled,
                 OnProgress on_progress) override {
    begin_wait();
    calls_.subscribe(call, deadline, std::move(on_settled), std::move(on_progress));
  }
  void unsubscribe(const CallId& call) override { calls_.unsubscribe(call); }
  void request(std::string_view method, std::string params, NodeLink::Clock::time_point deadline,
               OnResult on_result) override {
    begin_wait();
    calls_.request(method, params, deadline, std::move(on_result));
  }
  void notify(std::string_view method, std::string params) override {
    calls_.notify(method, params);
    flush_at_turn_end();
  }
  void release(const CallId& call, bool was_done) override {
    // Without a connection it goes with the next one, if there is to be one.
    calls_.release(call, was_done);
    flush_at_turn_end();
  }

  bool unreached() const override { return missed_ && !ever_met_; }
  void set_token(const std::string& token) override { settings_.token = token; }

  std::size_t waiting() const override { return calls_.waiting(); }
  bool all_written() const override;
  std::uint64_t bytes_sent() const override { return settings_.traffic->sent; }
  std::uint64_t bytes_received() const override { return settings_.traffic->received; }
  void stop(const Error& why) override;

private:
  enum class State : std::uint8_t { idle, dialling, open, pausing, stopped };
  struct OwnTimer : async::Timer {
    Link* link = nullptr;
  };

  // What the socket tells.
  void on_open(const Greeting& greeting) override;
  void on_frame(std::string_view text) override;
  void on_sign_of_life() override;
  void on_written() override;
  void on_closed(const Error& why) override;

  // What the calls ask for.
  NodeLink::Clock::time_point now() const override { return loop_.now(); }
  void start(async::Timer& timer, NodeLink::Clock::time_point when,
             async::Timer::Callback callback) override {
    loop_.start(timer, when, callback);
  }

  template <void (Link::*act)()>
  void after(OwnTimer& timer, std::chrono::milliseconds time) {
    timer.link = this;
    loop_.start(timer, now() + time, [](async::Timer& due) {
      // Holds on to the link: what it does may drop the last pointer to it.
      const auto self = static_cast<OwnTimer&>(due).link->shared_from_this();
      (self.get()->*act)();
    });
  }

  void begin_wait();
  void be_patient();
  void lose_interest();
  void dial();
  void met();
  void lost(const Error& why);
  void out_of_patience();
  void give_up();
  void look_alive();
  void watch();
  void flush_at_turn_end();
  void flush();
  void write_next();

  async::Loop& loop_;
  LinkSettings settings_;
  WaitingCalls calls_;
  State state_ = State::idle;
  std::shared_ptr<WsClient> socket_;
  Redial redial_;
  Liveness liveness_;
  Error last_failure_{ErrorKind::peer_unreachable, "there was no connection yet"};
  bool ever_met_ = false;
  bool missed_ = false;
  bool writing_ = false;
  bool flush_scheduled_ = false;
  OwnTimer pause_;
  OwnTimer patience_;
  OwnTimer look_;
};

void Link::begin_wait() {
  flush_at_turn_end();
  if (state_ == State::open && !look_.pending()) watch();
  if (calls_.waiting() == 0) lose_interest();
  if (!redial_.is_met()) be_patient();
  if (state_ == State::idle) dial();
}

void Link::be_patient() {
  redial_.begin(now());
  const auto over = redial_.over_at();
  if (!over || patience_.pending()) return;
  after<&Link::out_of_patience>(patience_, std::chrono::ceil<std::chrono::milliseconds>(*over - now()));
}

void Link::lose_interest() {
  redial_.end();
  patience_.cancel();
}

void Link::dial() {
  state_ = State::dialling;
  socket_ = WsClient::dial(loop_, settings_, *this);
}

void Link::on_open(const Greeting& greeting) {
  const auto self = shared_from_this();
  state_ = State::open;
  watch();
  // So that a node with nothing to say is met at once.
  socket_->ping();
  flush_at_turn_end();
  calls_.opened(greeting);
}

void Link::met() {
  if (redial_.is_met()) return;
  ever_met_ = true;
  redial_.met(now());
  patience_.cancel();
}

void Link::on_sign_of_life() {
  liveness_.heard(now());
  met();
}

void Link::on_frame(std::string_view text) {
  const auto self = shared_from_this();
  settings_.traffic->received += text.size();
  liveness_.heard(now());
  const bool understood = calls_.received(text);
  if (state_ == State::stopped) return;
  if (understood) return met();
  lost(Error(ErrorKind::peer_unreachable,
             "what listens at " + settings_.node.text() + " sent a frame that is no JSON, so it is no agentd")
           .at_node(settings_.node.text()));
}

void Link::on_written() {
  writing_ = false;
  flush_at_turn_end();
}

void Link::on_closed(const Error& why) {
  const auto self = shared_from_this();
  lost(why);
}

void Link::lost(const Error& why) {
  if (state_ == State::stopped) return;
  if (socket_) std::exchange(socket_, nullptr)->abandon();
  writing_ = false;
  redial_.lost(now());
  missed_ = true;
  look_.cancel();
  last_failure_ = why;
  state_ = State::idle;
  calls_.closed(why);
  if (why.kind() == ErrorKind::peer_refused) return give_up();
  if (calls_.waiting() == 0) return lose_interest();
  const auto pause = redial_.pause(now());
  if (!pause) return give_up();
  be_patient();
  state_ = State::pausing;
  after<&Link::dial>(pause_, *pause);
}

/// One that lets us in and has said nothing yet may still do so: it is given up when it is lost, or dead.
void Link::out_of_patience() {
  if (state_ != State::open) give_up();
}

void Link::give_up() {
  if (state_ == State::dialling) {
    // It has said neither yes nor no.
    last_failure_ =
        Error(ErrorKind::peer_unreachable, "agentd at " + settings_.node.text() + " did not answer within " +
                                               std::to_string(settings_.give_up_after->count()) + " ms")
            .at_node(settings_.node.text());
  }
  pause_.cancel();
  if (socket_) std::exchange(socket_, nullptr)->abandon();
  state_ = State::idle;
  lose_interest();
  calls_.fail_all(last_failure_);
}

void Link::watch() {
  liveness_.begin(now());
  after<&Link::look_alive>(look_, std::chrono::seconds(1));
}

void Link::look_alive() {
  if (state_ != State::open || calls_.waiting() == 0) return;
  switch (liveness_.check(now())) {
    case Liveness::Advice::fine:
      break;
    case Liveness::Advice::ping:
      socket_->ping();
      break;
    case Liveness::Advice::dead: {
      const Error why = Error(ErrorKind::peer_unreachable,
                              "agentd at " + settings_.node.text() + " answered no ping for 10 s")
                            .at_node(settings_.node.text());
      redial_.tire(now());
      return lost(why);
    }
  }
  after<&Link::look_alive>(look_, std::chrono::seconds(1));
}

void Link::flush_at_turn_end() {
  if (state_ == State::stopped || std::exchange(flush_scheduled_, true)) return;
  loop_.at_turn_end([self = shared_from_this()] { self->flush(); });
}

void Link::flush() {
  flush_scheduled_ = false;
  if (state_ != State::open) return;
  calls_.end_turn();
  if (!writing_ && !calls_.outbox().empty()) write_next();
}

void Link::write_next() {
  std::string frame = calls_.outbox().take();
  settings_.traffic->sent += frame.size();
  writing_ = true;
  socket_->send(std::move(frame));
}

bool Link::all_written() const {
  if (state_ == State::open) return !writing_ && !flush_scheduled_ && calls_.outbox().empty();
  return calls_.waiting() == 0;
}

void Link::stop(const Error& why) {
  if (state_ == State::stopped) return;
  const auto self = shared_from_this();
  const bool was_open = std::exchange(state_, State::stopped) == State::open;
  pause_.cancel();
  patience_.cancel();
  look_.cancel();
  if (socket_) {
    std::vector<std::string> frames;
    if (was_open) {
      calls_.end_turn();
      while (!calls_.outbox().empty()) frames.push_back(calls_.outbox().take());
    }
    std::exchange(socket_, nullptr)->finish(std::move(frames));
  }
  calls_.closed(why);
  calls_.fail_all(why);
}

}  // namespace

std::shared_ptr<NodeLink> NodeLink::make(async::Loop& loop, LinkSettings settings) {
  return std::make_shared<Link>(loop, std::move(settings));
}

}  // namespace agentd::net
