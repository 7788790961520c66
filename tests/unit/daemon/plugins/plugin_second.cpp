#define AGENTD_PLUGIN
#include <agentd/register.hpp>

namespace {

/// The same name as in the other plugin, on purpose.
class Parrot : public agentd::Agent {};

AGENTD_REGISTER_AGENT_AS(Parrot, "parrot");

}  // namespace
