// Two agents talk until one of them says "exit". One flow function, three deployments:
//
//     conversation local                     both in this program
//     conversation launched                  each in an agent server of its own, started for it
//     conversation HOST:PORT                 both on a running server of this program: conversation serve
//     PORT

#include <iostream>
#include <string>

#include <agentd/agentd.hpp>

/// Answers each message with the next number, and has had enough at some point.
class Counter : public agentd::Agent {
public:
  explicit Counter(const agentd::Json& args)
      : name_(args.value("name", "?")), enough_(args.value("enough", 6)) {}

  agentd::Message reply(const agentd::Message& x) override {
    const int next = x.content().is_number() ? x.content().get<int>() + 1 : 1;
    heard_ += 1;
    return next > enough_ ? agentd::Message("exit") : agentd::Message(next);
  }
  agentd::Json save() const override { return heard_; }
  void restore(const agentd::Json& state) override { heard_ = state.get<int>(); }

private:
  std::string name_;
  int enough_;
  int heard_ = 0;
};
AGENTD_REGISTER_AGENT(Counter);

namespace {

/// The flow: it cannot tell where the agents are.
void converse(const agentd::AgentRef& ann, const agentd::AgentRef& ben) {
  agentd::Message x;
  for (bool anns_turn = true; x.content() != "exit"; anns_turn = !anns_turn) {
    x = anns_turn ? ann(x) : ben(x);
    std::cout << (anns_turn ? "Ann" : "Ben") << ": " << x.content() << '\n';
  }
}

int serve(const std::string& port) {
  agentd::AgentServer server({.port = static_cast<std::uint16_t>(std::stoi(port))});
  server.launch();
  std::cout << "serving on port " << server.port() << std::endl;
  server.wait_until_terminate();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  agentd::init(argc, argv);
  const std::string where = argc > 1 ? argv[1] : "local";
  if (where == "serve") return serve(argc > 2 ? argv[2] : "12001");
  const auto make = [](const char* name) { return agentd::make<Counter>({{"name", name}, {"enough", 6}}); };
  if (where == "local") {
    converse(make("Ann"), make("Ben"));
  } else if (where == "launched") {
    converse(make("Ann").to_dist(), make("Ben").to_dist());
  } else if (const auto node = agentd::NodeAddress::parse(where)) {
    const agentd::DistOptions there{.host = node->host, .port = node->port, .launch_server = false};
    converse(make("Ann").to_dist(there), make("Ben").to_dist(there));
  } else {
    std::cerr << "conversation: say local, launched, HOST:PORT or serve [PORT], not \"" << where << "\"\n";
    return 64;
  }
} catch (const std::exception& error) {
  std::cerr << "conversation: " << error.what() << '\n';
  return 1;
}
