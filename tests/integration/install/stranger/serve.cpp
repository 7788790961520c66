#include <iostream>

#include "greeter.hpp"

int main() {
  agentd::AgentServer server{{.type = "Greeter", .id = "greeter", .port = 0}};
  server.launch();
  std::cout << server.port() << std::endl;
  server.wait_until_terminate();
}
