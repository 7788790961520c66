#include <chrono>

#include <agentd/register.hpp>

/// Tells the parts of its input one by one, and then how many there were. One that holds does not answer.
class Teller : public agentd::Agent {
public:
  explicit Teller(const agentd::Json& args) : holds_(args.value("holds", false)) {}

  agentd::Task<agentd::Message> reply_async(agentd::Message input) override {
    for (const agentd::Json& part : input.content()) agentd::this_call::progress(part);
    if (holds_) co_await agentd::this_call::sleep(std::chrono::hours(1));
    co_return input.content().size();
  }

private:
  bool holds_;
};
AGENTD_REGISTER_AGENT_AS(Teller, "teller");
