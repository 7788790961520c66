#pragma once

#include <memory>
#include <utility>

#include "daemon/rpc/dispatcher.hpp"

namespace agentd {

/// The dispatcher that a server is given before the real one can be made: that one needs the port
/// which the server binds. Nothing is dispatched before `set`, since the loop does not run yet.
class LateDispatcher : public rpc::Dispatcher {
public:
  void set(std::unique_ptr<rpc::Dispatcher> dispatcher) { real_ = std::move(dispatcher); }

  Interest handle_body(std::string_view body, Answer answer) override {
    return real_->handle_body(body, std::move(answer));
  }
  void handle_frame(const std::shared_ptr<rpc::Channel>& channel, std::string_view frame) override {
    real_->handle_frame(channel, frame);
  }
  void channel_closed(const rpc::Channel& channel) override { real_->channel_closed(channel); }
  [[nodiscard]] const std::string& openrpc() const override { return real_->openrpc(); }
  [[nodiscard]] std::string metrics() const override { return real_->metrics(); }
  [[nodiscard]] bool ready() const override { return real_->ready(); }
  [[nodiscard]] const std::string& boot() const override { return real_->boot(); }

private:
  std::unique_ptr<rpc::Dispatcher> real_;
};

}  // namespace agentd
