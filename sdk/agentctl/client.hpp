#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <agentd/ids.hpp>

#include "common/async/loop.hpp"
#include "common/net/node_link.hpp"

namespace agentd::ctl {

/// One node, as a command line sees it: questions that wait for their answer, and calls that wait for
/// their outcome.
///
/// A connection of its own rather than the session's, because a person at a terminal wants to know
/// after 3 s that nobody is there. The node is dialled at the first use. The connection lives on a
/// thread of its own, which the destructor ends; all functions belong to the owner's thread, and
/// throw `Error`: what the node answered, `peer_unreachable`, or `peer_refused`.
class Client {
public:
  Client(NodeAddress node, std::string token);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  static constexpr std::chrono::seconds unreachable_after{3};
  static constexpr std::chrono::seconds answer_limit{60};

  /// The result's JSON text. Asked again, with the same params, where the connection is lost meanwhile.
  [[nodiscard]] std::string ask(std::string_view method, std::string params,
                                std::chrono::milliseconds limit = answer_limit);

  /// Makes the call and waits until it has settled. `params` is the params' JSON text without a
  /// deadline; without one the node's default holds. `on_progress` runs on the connection's thread.
  [[nodiscard]] net::Settled call(const CallId& id, std::string params,
                                  std::optional<std::chrono::milliseconds> deadline,
                                  std::function<void(std::string_view)> on_progress);

  [[nodiscard]] const NodeAddress& node() const { return node_; }
  [[nodiscard]] const std::string& token() const { return token_; }

private:
  [[nodiscard]] net::NodeLink& link();

  const NodeAddress node_;
  const std::string token_;
  async::Loop loop_;
  /// Loop thread only.
  std::shared_ptr<net::NodeLink> link_;
  std::thread thread_;
};

}  // namespace agentd::ctl
