#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <agentd/error.hpp>

#include "common/async/loop.hpp"
#include "common/net/node_link.hpp"

namespace agentd::net {

/// What a node says of itself when it accepts a WebSocket.
struct Greeting {
  /// New at each start of the node; empty where it does not say.
  std::string boot;
  /// The node's calls outlive its process.
  bool durable = false;
};

/// One WebSocket to a node: frames out, frames in. Knows nothing of what is in them.
///
/// Resolves the node's name, asks `may_dial` about each address, and dials exactly those it allows,
/// one after another. Loop thread only. Keeps itself alive while an operation runs; the listener
/// outlives it, or calls `abandon` first.
class WsClient {
public:
  /// Told what happens, never from inside a call to the client.
  class Listener {
  public:
    virtual void on_open(const Greeting& greeting) = 0;
    virtual void on_frame(std::string_view text) = 0;
    /// A sign of life that is no frame: a ping or a pong.
    virtual void on_sign_of_life() = 0;
    virtual void on_written() = 0;
    /// It is over, or never began; nothing else comes. `peer_refused` where the node did not let us
    /// in, or no address may be dialled; otherwise `peer_unreachable`.
    virtual void on_closed(const Error& why) = 0;

  protected:
    ~Listener() = default;
  };

  static std::shared_ptr<WsClient> dial(async::Loop& loop, const LinkSettings& settings, Listener& listener);
  virtual ~WsClient() = default;

  /// @pre open, and no other frame is being written
  virtual void send(std::string frame) = 0;
  virtual void ping() = 0;
  /// Tells the listener nothing any more, and closes at once.
  virtual void abandon() = 0;
  /// As `abandon`, but writes what is being written, and then `frames`, and says goodbye, for a
  /// second at most.
  virtual void finish(std::vector<std::string> frames) = 0;
};

}  // namespace agentd::net
