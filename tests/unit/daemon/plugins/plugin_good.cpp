#define AGENTD_PLUGIN
#include <agentd/register.hpp>

namespace {

class Greeter : public agentd::Agent {
public:
  static void describe(agentd::TypeOf<Greeter>& type) { type.description("Greets"); }
};

class Parrot : public agentd::Agent {};

AGENTD_REGISTER_AGENT(Greeter);
AGENTD_REGISTER_AGENT_AS(Parrot, "parrot");

}  // namespace
