#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <agentd/error.hpp>
#include <agentd/ids.hpp>
#include <agentd/json.hpp>

namespace agentd {

class Message;
namespace detail {
class Cell;
}  // namespace detail

/// The members of a message. Empty strings and a null `metadata` mean: not given; `metadata` is an object.
struct MessageFields {
  Json content = nullptr;
  std::string name = {};
  std::string role = {};
  Json metadata = nullptr;
  std::string id = {};
  /// RFC 3339, in UTC.
  std::string timestamp = {};
};

/// What agents exchange; perhaps not there yet.
///
///     agentd::Message draft = writer("tides");      // returns at once: a placeholder
///     agentd::Message review = critic(draft);       // handed on before it has a value
///     std::cout << review.content();                // the only line that waits
///
/// A message is made from any JSON value, or is the answer of a call. An answer *settles* once:
/// with a value, or with an error, which every reader then gets thrown as `agentd::Error`. It
/// settles by its call's deadline at the latest, so no read waits for ever.
///
/// Cheap to copy: copies are the same message. Thread-safe. When the last copy of an answer goes
/// away, its node is told that the outcome is no longer needed.
///
/// A default-constructed message is *no input*; its content is null.
class Message {
public:
  Message() = default;

  /// A message with that content: a string, a number, a `Json`, whatever `Json` is made from.
  /// Throws `Error` (`invalid_params`) where the content is no valid UTF-8 or nested deeper than 64.
  template <typename T>
  requires(!std::same_as<std::remove_cvref_t<T>, Message> &&
           !std::same_as<std::remove_cvref_t<T>, MessageFields> && std::constructible_from<Json, T>)
      Message(T&& content)
      : Message(from(std::forward<T>(content))) {}

  /// Throws `Error` (`invalid_params`) as above, and where a text is no valid UTF-8 or `metadata` no object.
  Message(const MessageFields& fields);

  /// A join: one input made of several. Its content is the array of their contents.
  /// Throws `Error` (`invalid_params`) where joins are nested deeper than 64.
  [[nodiscard]] static Message inputs(std::vector<Message> parts);

  /// The readers. Each waits until the message has settled, then answers, or throws the call's
  /// `Error`. Inside a coroutine that runs on a node's event loop, `co_await` the message first:
  /// there, waiting throws instead of blocking the loop.
  ///
  /// What they answer lives as long as a copy of the message; asked of one that is about to go, as in
  /// `for (auto& part : agent(x).content())`, they answer a value that is the reader's own.
  [[nodiscard]] const Json& content() const&;
  [[nodiscard]] const std::string& name() const&;
  [[nodiscard]] const std::string& role() const&;
  [[nodiscard]] const Json& metadata() const&;
  [[nodiscard]] const std::string& id() const&;
  [[nodiscard]] const std::string& timestamp() const&;
  /// The content as JSON text, unopened: exactly the bytes that came.
  [[nodiscard]] std::string_view raw_content() const&;

  [[nodiscard]] Json content() && { return Json(content()); }
  [[nodiscard]] std::string name() && { return std::string(name()); }
  [[nodiscard]] std::string role() && { return std::string(role()); }
  [[nodiscard]] Json metadata() && { return Json(metadata()); }
  [[nodiscard]] std::string id() && { return std::string(id()); }
  [[nodiscard]] std::string timestamp() && { return std::string(timestamp()); }
  [[nodiscard]] std::string raw_content() && { return std::string(raw_content()); }

  /// Whether this is no input at all.
  [[nodiscard]] bool empty() const { return cell_ == nullptr; }
  /// The parts of a join; empty for any other message.
  [[nodiscard]] const std::vector<Message>& parts() const;

  /// Whether reading would not wait.
  [[nodiscard]] bool ready() const;
  /// Waits at most that long; answers `ready()`. Does not throw the call's error.
  bool wait_for(std::chrono::nanoseconds limit) const;
  /// Waits until settled; does not throw the call's error.
  void wait() const;
  /// The call's error, or null where it succeeded. Waits until settled. Lives as long as a copy of the
  /// message.
  [[nodiscard]] const Error* error() const;

  /// Calls back exactly once, when the message has settled: at once, in this thread, where it has
  /// already, and otherwise on the thread that settles it, where the callback must not block.
  ///
  /// Nobody is there to catch what a callback throws, so it is dropped, with a line on standard error that
  /// has its `what()`; whether the message had settled already makes no difference.
  void then(std::function<void(const Message&)> callback) const;
  /// Calls back for each piece of partial output, in order, on the thread that receives it. As for `then`,
  /// what it throws is dropped.
  void on_progress(std::function<void(const Json&)> callback) const;
  /// Asks for the call to be given up. It settles as cancelled, unless it settles first.
  void cancel() const;

  /// Where the outcome is kept; nothing for a message that is no answer of a distributed agent.
  [[nodiscard]] std::optional<Placeholder> placeholder() const;

  struct Awaiter;
  Awaiter operator co_await() const;

  /// For the library's own parts.
  explicit Message(std::shared_ptr<detail::Cell> cell) : cell_(std::move(cell)) {}
  [[nodiscard]] const std::shared_ptr<detail::Cell>& cell() const { return cell_; }

private:
  template <typename T>
  static Message from(T&& content) {
    // Text needs no `Json` on its way.
    if constexpr (std::convertible_to<T, std::string_view> && !std::same_as<std::remove_cvref_t<T>, Json> &&
                  !std::same_as<std::remove_cvref_t<T>, std::nullptr_t>) {
      return from_text(std::forward<T>(content));
    } else {
      return from_json(Json(std::forward<T>(content)));
    }
  }
  static Message from_text(std::string_view content);
  static Message from_json(Json content);

  std::shared_ptr<detail::Cell> cell_;
};

struct Message::Awaiter {
  Message message;
  [[nodiscard]] bool await_ready() const { return message.ready(); }
  void await_suspend(std::coroutine_handle<> waiting) const;
  Message await_resume() const;
};

/// Settles when all have settled; its content is the array of theirs. Fails as the first failed
/// one in the order given. It is `Message::inputs`, and throws as that does.
[[nodiscard]] Message when_all(std::vector<Message> messages);

/// Settles as the first of them that settles does; of the others, nothing is read. Throws
/// `std::invalid_argument` for none.
[[nodiscard]] Message when_any(std::vector<Message> messages);

}  // namespace agentd
