#pragma once

#include <chrono>

#include <agentd/agent.hpp>

/// One station of a flow: takes its time, then answers who it was, what it was given, and when it
/// worked. A coroutine, so that a thousand of them hold no thread while they "work".
class Stage : public agentd::Agent {
public:
  explicit Stage(const agentd::Json& args)
      : name_(args.value("name", "stage")), seconds_(args.value("seconds", 0.5)) {}

  static void describe(agentd::TypeOf<Stage>& type) {
    type.description("Takes its time, then says when it worked and on what");
  }

  agentd::Task<agentd::Message> reply_async(agentd::Message input) override {
    const double started = now();
    co_await agentd::this_call::sleep(std::chrono::milliseconds(static_cast<long>(seconds_ * 1000)));
    agentd::Json given = agentd::Json::array();
    for (const agentd::Message& part : input.parts()) given.push_back(part.content().at("stage"));
    if (input.parts().empty() && input.content().is_object()) given.push_back(input.content().at("stage"));
    co_return agentd::Json{{"stage", name_}, {"given", given}, {"started", started}, {"ended", now()}};
  }

private:
  /// Seconds since the epoch: the machines of one flow share the wall clock, not a start.
  static double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  std::string name_;
  double seconds_;
};
