#include "sdk/src/lost_node.hpp"

#include <memory>
#include <utility>

#include "common/net/node_link.hpp"

namespace agentd::sdk {
namespace {

/// A link to nowhere: everything fails, though never inside the call that asks for it.
class LostLink final : public net::NodeLink {
public:
  // NOLINTNEXTLINE(bugprone-throw-keyword-missing): an Error is a value too, and here it is kept.
  LostLink(async::Loop& loop, Error why) : loop_(loop), why_(std::move(why)) {}

  void call(const CallId& call, std::string, Clock::time_point, OnSettled on_settled, OnProgress) override {
    fail(call, std::move(on_settled));
  }
  void subscribe(const CallId& call, Clock::time_point, OnSettled on_settled, OnProgress) override {
    fail(call, std::move(on_settled));
  }
  /// What was subscribed to is being delivered already.
  void unsubscribe(const CallId&) override {}
  void request(std::string_view, std::string, Clock::time_point, OnResult on_result) override {
    loop_.post([why = why_, on_result = std::move(on_result)] { on_result(why); });
  }
  void notify(std::string_view, std::string) override {}
  void release(const CallId&, bool) override {}
  [[nodiscard]] std::size_t waiting() const override { return 0; }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return 0; }
  [[nodiscard]] std::uint64_t bytes_received() const override { return 0; }
  void stop(const Error&) override {}

private:
  void fail(const CallId& call, OnSettled on_settled) {
    Error why = why_;
    why.at_call(call.text());
    loop_.post([why = std::move(why), on_settled = std::move(on_settled)] { on_settled({why}); });
  }

  async::Loop& loop_;
  Error why_;
};

}  // namespace

void lose_node(SessionNode& node, const Error& why) {
  node.lost = true;
  Session::instance().post([&node, why] {
    const auto last = std::exchange(node.link, std::make_shared<LostLink>(Session::instance().loop(), why));
    if (last) last->stop(why);
  });
}

}  // namespace agentd::sdk
