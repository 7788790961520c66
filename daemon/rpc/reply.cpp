#include "daemon/rpc/reply.hpp"

#include <utility>

#include "common/protocol/envelope.hpp"

namespace agentd::rpc {
namespace {

/// What is always said, however much waits already.
constexpr std::size_t small_answer = 512;

Error too_large_together() {
  Error refused(ErrorKind::overloaded,
                "the answers that wait for this connection are too large together: ask for fewer at once");
  return refused.with("limit", "write_queue");
}

}  // namespace

void BodyAnswers::complete() {
  if (--open_ > 0) return;
  std::string body;
  if (batch_ && !texts_.empty()) {
    body = "[";
    for (const std::string& text : texts_) {
      if (body.size() > 1) body += ',';
      body += text;
    }
    body += ']';
  } else if (!texts_.empty()) {
    body = std::move(texts_.front());
  }
  answer_(std::move(body));
}

template <typename Append>
void Reply::send(Append append) {
  if (!std::exchange(wanted_, false)) return;
  if (body_) {
    std::string text;
    append(text);
    body_->add(std::move(text));
    std::exchange(body_, nullptr)->complete();
    return;
  }
  const auto channel = channel_.lock();
  if (!channel || channel->closed()) return;
  append(channel->outbox().begin());
  channel->outbox().end(in_batch_);
  channel->sent();
}

bool Reply::is_full() const {
  if (body_) return body_->full();
  const auto channel = channel_.lock();
  return channel && channel->full();
}

bool Reply::has_room(std::size_t bytes) const { return bytes <= small_answer || !is_full(); }

void Reply::no_room() { error(too_large_together()); }

void Reply::result(std::string_view result) {
  if (wanted_ && !has_room(result.size())) return no_room();
  send([&](std::string& out) { protocol::append_result(out, id_, result); });
}

void Reply::error(const Error& error) {
  if (!wanted_) return;
  std::string text;
  protocol::append_error_response(text, id_, error);
  // With its causes an error may be as long as a value.
  if (!has_room(text.size())) {
    text.clear();
    protocol::append_error_response(text, id_, too_large_together());
  }
  send([&](std::string& out) { out += text; });
}

}  // namespace agentd::rpc
