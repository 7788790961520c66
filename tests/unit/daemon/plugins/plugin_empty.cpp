#define AGENTD_PLUGIN
#include <agentd/register.hpp>
