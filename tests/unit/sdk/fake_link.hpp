#pragma once

#include <future>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <agentd/json.hpp>

#include "common/net/node_link.hpp"
#include "sdk/src/session.hpp"

/// A connection that goes nowhere. Used on the session's loop, looked at between its turns.
class FakeLink : public agentd::net::NodeLink {
public:
  struct Sent {
    agentd::CallId call;
    agentd::Json params;
    OnSettled on_settled;
    OnProgress on_progress;
    bool has_deadline;
  };

  void call(const agentd::CallId& call, std::string params, Clock::time_point deadline, OnSettled on_settled,
            OnProgress on_progress) override {
    sent.push_back({call, agentd::Json::parse(params + "}"), std::move(on_settled), std::move(on_progress),
                    deadline != Clock::time_point::max()});
  }
  void subscribe(const agentd::CallId& call, Clock::time_point, OnSettled on_settled, OnProgress) override {
    subscribed.push_back({call, std::move(on_settled)});
  }
  void unsubscribe(const agentd::CallId&) override {}
  void request(std::string_view method, std::string params, Clock::time_point deadline,
               OnResult on_result) override {
    requests.push_back({std::string(method), agentd::Json::parse(params), std::move(on_result), deadline});
  }
  void set_token(const std::string& token) override { tokens.push_back(token); }
  void notify(std::string_view, std::string) override {}
  void release(const agentd::CallId& call, bool was_done) override {
    released.push_back(call);
    if (was_done) released_as_done.push_back(call);
  }
  std::size_t waiting() const override { return 0; }
  std::uint64_t bytes_sent() const override { return 0; }
  std::uint64_t bytes_received() const override { return 0; }
  void stop(const agentd::Error&) override {}

  struct Request {
    std::string method;
    agentd::Json params;
    OnResult on_result;
    Clock::time_point deadline;
  };
  struct Subscribed {
    agentd::CallId call;
    OnSettled on_settled;
  };
  std::vector<Sent> sent;
  std::vector<Subscribed> subscribed;
  std::vector<Request> requests;
  std::vector<agentd::CallId> released, released_as_done;
  std::vector<std::string> tokens;
};

/// Runs `work` on the session's loop, after everything that was handed over before.
template <typename F>
auto on_loop(F work) {
  std::promise<std::invoke_result_t<F>> done;
  agentd::sdk::Session::instance().post([&] {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      work();
      done.set_value();
    } else {
      done.set_value(work());
    }
  });
  return done.get_future().get();
}
