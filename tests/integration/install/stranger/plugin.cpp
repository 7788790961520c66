#include <agentd/register.hpp>

class Parrot : public agentd::Agent {
public:
  agentd::Message reply(const agentd::Message& x) override { return x; }
};
AGENTD_REGISTER_AGENT(Parrot);
