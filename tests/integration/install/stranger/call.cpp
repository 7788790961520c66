#include <cstdlib>

#include <agentd/client.hpp>

int main(int, char** argv) {
  auto greeter = agentd::attach("greeter", {.port = static_cast<std::uint16_t>(std::atoi(argv[1]))});
  return greeter("you").content() == "hello, you" ? 0 : 1;
}
