#pragma once

#include <string>

#include <agentd/agentd.hpp>

class Greeter : public agentd::Agent {
public:
  agentd::Message reply(const agentd::Message& x) override {
    return "hello, " + x.content().get<std::string>();
  }
};
AGENTD_REGISTER_AGENT(Greeter);
