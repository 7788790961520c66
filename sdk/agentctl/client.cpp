#include "sdk/agentctl/client.hpp"

#include <future>
#include <utility>

namespace agentd::ctl {

using Clock = async::Loop::Clock;

Client::Client(NodeAddress node, std::string token)
    : node_(std::move(node)), token_(std::move(token)), thread_([this] { loop_.run(); }) {}

Client::~Client() {
  std::promise<void> stopped;
  loop_.post([&] {
    if (link_) link_->stop(Error(ErrorKind::cancelled, "agentctl ends"));
    stopped.set_value();
  });
  stopped.get_future().wait();
  loop_.stop();
  thread_.join();
}

net::NodeLink& Client::link() {
  if (!link_) {
    net::LinkSettings settings;
    settings.node = node_;
    settings.token = token_;
    settings.caller = "agentctl-" + random_suffix(20);
    settings.give_up_after = unreachable_after;
    link_ = net::NodeLink::make(loop_, std::move(settings));
  }
  return *link_;
}

std::string Client::ask(std::string_view method, std::string params, std::chrono::milliseconds limit) {
  std::promise<Result<std::string>> answer;
  loop_.post([&] {
    link().request(method, std::move(params), Clock::now() + limit,
                   [&answer](Result<std::string> result) { answer.set_value(std::move(result)); });
  });
  return answer.get_future().get().value();
}

net::Settled Client::call(const CallId& id, std::string params,
                          std::optional<std::chrono::milliseconds> deadline,
                          std::function<void(std::string_view)> on_progress) {
  // The link adds the remaining time, and the end.
  params.pop_back();
  std::promise<net::Settled> outcome;
  loop_.post([&] {
    link().call(
        id, std::move(params), deadline ? Clock::now() + *deadline : Clock::time_point::max(),
        [&outcome](net::Settled settled) { outcome.set_value(std::move(settled)); }, std::move(on_progress));
  });
  return outcome.get_future().get();
}

}  // namespace agentd::ctl
