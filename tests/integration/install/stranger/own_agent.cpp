#include "greeter.hpp"

int main(int argc, char** argv) {
  agentd::init(argc, argv);
  auto here = agentd::make<Greeter>();
  auto there = agentd::make<Greeter>().to_dist();
  return there(here("you")).content() == "hello, hello, you" ? 0 : 1;
}
