extern "C" const void* agentd_plugin_v1() { return nullptr; }
