#include <agentd/message.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "common/json/text.hpp"
#include "common/vocabulary/cell.hpp"
#include "common/vocabulary/context.hpp"
#include "common/vocabulary/ending.hpp"

namespace agentd {
namespace {

using detail::Cell;
using detail::Label;
using detail::MessageData;
using detail::SharedText;

const std::string& label(const std::shared_ptr<Cell>& cell, Label label) {
  static const std::string none;
  return cell ? cell->label(label) : none;
}

/// `dump` recurses, so the depth is looked at first, with an end to the recursion of its own.
bool deeper_than(const Json& json, unsigned limit) {
  if (!json.is_structured()) return false;
  if (limit == 0) return true;
  for (const auto& element : json) {
    if (deeper_than(element, limit - 1)) return true;
  }
  return false;
}

SharedText to_text(const Json& json, std::string_view what) {
  if (deeper_than(json, json::max_content_depth)) {
    throw Error(ErrorKind::invalid_params, "a message's " + std::string(what) + " is nested deeper than " +
                                               std::to_string(json::max_content_depth))
        .with("limit", "depth");
  }
  try {
    return json.dump();
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::invalid_params,
                "a message's " + std::string(what) + " is no valid UTF-8: " + error.what());
  }
}

/// @pre it is no null
SharedText metadata_text(const Json& metadata) {
  if (metadata.is_object()) return to_text(metadata, "metadata");
  throw Error(ErrorKind::invalid_params,
              std::string("a message's metadata is an object, not ") + metadata.type_name());
}

detail::Labels labels_of(const MessageFields& fields) {
  const detail::Labels::Plain texts{fields.name, fields.role, fields.id, fields.timestamp};
  for (const auto& [what, text] : {std::pair("name", texts.name), std::pair("role", texts.role),
                                   std::pair("id", texts.id), std::pair("timestamp", texts.timestamp)}) {
    if (json::is_text(text)) continue;
    throw Error(ErrorKind::invalid_params, std::string("a message's ") + what + " is no valid UTF-8");
  }
  return detail::Labels(texts);
}

void report(const char* of, std::string what) {
  std::replace_if(
      what.begin(), what.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  what = std::string("agentd: a callback of Message::") + of + " threw, which nobody catches: " + what + '\n';
  (void)std::fputs(what.c_str(), stderr);
}

std::atomic<bool> callbacks_ended{false};

/// The root of a callback: it may run on a loop that others depend on.
template <typename Argument>
void call_back(const char* of, const std::function<void(const Argument&)>& callback,
               const Argument& argument) {
  try {
    callback(argument);
  } catch (const std::exception& error) {
    report(of, error.what());
  } catch (...) {
    report(of, "what is no std::exception");
  }
}

/// The error of what has settled, wherever its value is.
const Error* error_of(const Cell& cell) {
  for (const Message& part : cell.parts()) {
    if (part.empty()) continue;
    if (const Error* error = error_of(*part.cell())) return error;
  }
  return cell.error();
}

/// Behind the first of several to settle.
class FirstOf final : public detail::CellSource {
public:
  void fetch(const std::shared_ptr<Cell>& cell) override {
    winner_->when_readable([cell, winner = winner_] {
      if (const Error* error = error_of(*winner)) {
        cell->supply_failure(*error);
      } else {
        cell->supply(winner->read());
      }
    });
  }
  /// One of them has settled.
  void settled(Cell& first, const std::shared_ptr<Cell>& one) {
    if (decided_.exchange(true)) return;
    winner_ = one;
    if (const Error* error = error_of(*one)) {
      first.fail(*error);
    } else if (one->readable()) {
      first.settle(one->read());
    } else {
      first.settle_elsewhere();
    }
  }

private:
  std::atomic<bool> decided_{false};
  std::shared_ptr<Cell> winner_;
};

}  // namespace

Message Message::from_text(std::string_view content) {
  if (!json::is_text(content)) return from_json(Json(content));
  std::string token;
  token.reserve(content.size() + 2);
  json::append_valid_string(token, content);
  return Message(Cell::make(MessageData{SharedText::copy(token), {}, {}}));
}

Message Message::from_json(Json content) {
  if (const auto* text = content.get_ptr<const std::string*>(); text && json::is_text(*text)) {
    return from_text(*text);
  }
  return Message(Cell::make(MessageData{to_text(content, "content"), {}, {}}));
}

Message::Message(const MessageFields& fields)
    : cell_(Cell::make(MessageData{to_text(fields.content, "content"),
                                   fields.metadata.is_null() ? SharedText() : metadata_text(fields.metadata),
                                   labels_of(fields)})) {}

Message Message::inputs(std::vector<Message> parts) {
  auto join = Cell::make(std::move(parts));
  if (join->join_depth() > json::max_content_depth) {
    throw Error(ErrorKind::invalid_params,
                "joins are nested deeper than " + std::to_string(json::max_content_depth))
        .with("limit", "depth");
  }
  return Message(std::move(join));
}

const Json& Message::content() const& {
  static const Json null;
  return cell_ ? cell_->opened_content() : null;
}

const Json& Message::metadata() const& {
  static const Json null;
  return cell_ ? cell_->opened_metadata() : null;
}

const std::string& Message::name() const& { return label(cell_, Label::name); }
const std::string& Message::role() const& { return label(cell_, Label::role); }
const std::string& Message::id() const& { return label(cell_, Label::id); }
const std::string& Message::timestamp() const& { return label(cell_, Label::timestamp); }

std::string_view Message::raw_content() const& {
  if (!cell_) return "null";
  const SharedText& text = cell_->read().content;
  return text ? *text : "null";
}

const std::vector<Message>& Message::parts() const {
  static const std::vector<Message> none;
  return cell_ ? cell_->parts() : none;
}

bool Message::ready() const { return !cell_ || cell_->readable(); }

bool Message::wait_for(std::chrono::nanoseconds limit) const {
  if (!cell_) return true;
  const auto now = Cell::Clock::now();
  if (limit >= Cell::Clock::time_point::max() - now) return cell_->wait_until(std::nullopt);
  return cell_->wait_until(now + limit);
}

void Message::wait() const {
  if (cell_) cell_->wait_until(std::nullopt);
}

const Error* Message::error() const {
  if (!cell_) return nullptr;
  cell_->wait_until(std::nullopt);
  for (const Message& part : cell_->parts()) {
    if (const Error* error = part.error()) return error;
  }
  return cell_->error();
}

void Message::then(std::function<void(const Message&)> callback) const {
  if (ready()) return call_back("then", callback, *this);
  cell_->when_readable([callback = std::move(callback), self = *this] {
    if (!callbacks_ended) call_back("then", callback, self);
  });
}

void Message::on_progress(std::function<void(const Json&)> callback) const {
  if (!cell_) return;
  cell_->when_progress(
      [callback = std::move(callback)](const Json& piece) { call_back("on_progress", callback, piece); });
}

void Message::cancel() const {
  if (!cell_) return;
  for (const Message& part : cell_->parts()) part.cancel();
  if (auto* source = cell_->source(); source && !cell_->settled()) source->cancel(cell_);
}

std::optional<Placeholder> Message::placeholder() const {
  if (!cell_ || !cell_->source()) return std::nullopt;
  return cell_->source()->placeholder();
}

Message::Awaiter Message::operator co_await() const { return {*this}; }

void Message::Awaiter::await_suspend(std::coroutine_handle<> waiting) const {
  // The coroutine's frame, and this awaiter in it, may be gone as soon as the callback is known: the
  // cell must not go with it.
  const auto cell = message.cell();
  auto* context = detail::current_context();
  if (!context) return cell->when_readable([waiting] { waiting.resume(); });
  context->awaits(*cell);
  cell->when_readable([keep = context->shared_from_this(), waiting] { keep->resume(waiting); });
}

Message Message::Awaiter::await_resume() const {
  if (const Error* error = message.error()) throw *error;
  return message;
}

void detail::end_callbacks() { callbacks_ended = true; }

Message when_all(std::vector<Message> messages) { return Message::inputs(std::move(messages)); }

// By value as when_all takes them, which keeps them.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Message when_any(std::vector<Message> messages) {
  if (messages.empty()) throw std::invalid_argument("when_any: there is no message to wait for");
  auto owned = std::make_unique<FirstOf>();
  FirstOf& choice = *owned;
  const auto first = Cell::make(std::move(owned));
  for (const Message& message : messages) {
    const auto one = message.empty() ? Cell::make(MessageData()) : message.cell();
    one->when_settled([first, &choice, one] { choice.settled(*first, one); });
  }
  return Message(first);
}

}  // namespace agentd
