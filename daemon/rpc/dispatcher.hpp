#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/protocol/outbox.hpp"

namespace agentd::rpc {

/// One WebSocket as the methods see it: who is there, and where answers and notifications go.
/// Implemented by `http`. Loop thread only.
class Channel : public std::enable_shared_from_this<Channel> {
public:
  virtual ~Channel() = default;

  /// Where an object for this connection is appended; call `sent` when it is complete.
  [[nodiscard]] virtual protocol::Outbox& outbox() = 0;
  /// The outbox has something: it is flushed at the end of the turn. No-op once closed.
  virtual void sent() = 0;
  /// A whole frame that was made at another loop: it is written as it is, behind what waits. No-op once
  /// closed. @pre no object is open in the outbox
  virtual void put_frame(std::string frame) = 0;
  /// Requests of so many bytes that came over it have been handed to another loop, and have been looked at
  /// there: while many have not, nothing more is read from it.
  virtual void requests_sent(std::size_t bytes) = 0;
  virtual void requests_done(std::size_t bytes) = 0;
  [[nodiscard]] virtual bool closed() const = 0;
  /// So much waits to be written that nothing large may be added: answers are refused with
  /// `overloaded`, and values are left out of notifications.
  [[nodiscard]] bool full() const { return room() == 0; }
  /// How many bytes may be added before that.
  [[nodiscard]] virtual std::size_t room() const = 0;
  /// Whether the other side has said that frames may be arrays.
  [[nodiscard]] virtual bool takes_batches() const = 0;
  /// The caller that the connection named in its URL, or one minted for it.
  [[nodiscard]] virtual const std::string& caller() const = 0;
};

/// The JSON-RPC face of a node: takes texts, answers texts. What HTTP and WebSocket connections
/// hand over; knows no socket itself. Loop thread only.
class Dispatcher {
public:
  virtual ~Dispatcher() = default;

  /// One HTTP body. `answer` is called exactly once, perhaps later (`wait_ms`), with the body to
  /// send; an empty one means that there is nothing to answer (204). `body` is not used after the
  /// return. An answer that is to come later comes only while what is returned is held: when that
  /// goes, what waits for it ends.
  using Answer = std::function<void(std::string body)>;
  using Interest = std::shared_ptr<void>;
  [[nodiscard]] virtual Interest handle_body(std::string_view body, Answer answer) = 0;

  /// One text frame. Answers go to the channel's outbox, now or later.
  virtual void handle_frame(const std::shared_ptr<Channel>& channel, std::string_view frame) = 0;

  /// The connection is gone: its subscriptions and waits end; its calls go on.
  virtual void channel_closed(const Channel& channel) = 0;

  /// What `rpc.discover` answers.
  [[nodiscard]] virtual const std::string& openrpc() const = 0;
  /// Prometheus' text format.
  [[nodiscard]] virtual std::string metrics() const = 0;
  /// False while starting and while draining.
  [[nodiscard]] virtual bool ready() const = 0;
  /// New at each start: the header `Agentd-Boot`.
  [[nodiscard]] virtual const std::string& boot() const = 0;
};

}  // namespace agentd::rpc
