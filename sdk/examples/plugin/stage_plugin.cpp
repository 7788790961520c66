// A plugin: agent types in a shared object that the daemon loads at its start.
//
//     agentd --plugin stage_plugin.so
//     curl -s localhost:12001/rpc -d '{"jsonrpc":"2.0","id":1,"method":"agent.create",
//       "params":{"type":"stage","agent":"s","args":{"name":"S","seconds":0.2}}}'

#include "../stage.hpp"

#include <agentd/register.hpp>

AGENTD_REGISTER_AGENT_AS(Stage, "stage");
