namespace agentd {}
