#pragma once

/// The whole SDK: calling agents, agents of one's own, and serving them. Target agentd::sdk.
#include <agentd/agent.hpp>
#include <agentd/agent_ref.hpp>
#include <agentd/client.hpp>
#include <agentd/error.hpp>
#include <agentd/flow.hpp>
#include <agentd/local.hpp>
#include <agentd/message.hpp>
#include <agentd/register.hpp>
#include <agentd/server.hpp>
#include <agentd/task.hpp>
#include <agentd/version.hpp>
