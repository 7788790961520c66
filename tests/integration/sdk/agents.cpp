#include "tests/integration/sdk/agents.hpp"

#include <csignal>

#include <unistd.h>

AGENTD_REGISTER_AGENT(Notebook);
AGENTD_REGISTER_AGENT(Relay);
AGENTD_REGISTER_AGENT(AsyncRelay);
AGENTD_REGISTER_AGENT(Inflater);
AGENTD_REGISTER_AGENT(Mirror);
AGENTD_REGISTER_AGENT_AS(Failing, "failing");
AGENTD_REGISTER_AGENT(Stillborn);

using agentd::Json;
using agentd::Message;

Notebook::Notebook(const Json& args) : name_(args.value("name", "")) {}

Message Notebook::reply(const Message& x) {
  notes_.push_back(x.content());
  return Json{{"by", name_}, {"n", notes_.size()}, {"heard", x.content()}};
}

void Notebook::observe(const Message& x) { notes_.push_back(x.content()); }

Message Notebook::pid(const Message&) { return getpid(); }

Message Notebook::vanish(const Message&) {
  raise(SIGKILL);
  return nullptr;
}

Message Notebook::count(const Message& n) {
  for (int i = 1; i <= n.content().get<int>(); ++i) agentd::this_call::progress(i);
  return n;
}

agentd::Task<Message> Gate::reply_async(Message x) {
  while (!open) co_await agentd::this_call::sleep(std::chrono::milliseconds(1));
  co_return x;
}

Message Inflater::reply(const Message& size) { return std::string(size.content().get<std::size_t>(), 'x'); }

Message Mirror::reply(const Message& x) {
  return Json{{"content", x.content()}, {"name", x.name()},         {"role", x.role()},
              {"id", x.id()},           {"metadata", x.metadata()}, {"timestamp", x.timestamp()}};
}

std::uint16_t free_port() {
  const Server server;
  return server.at().port;
}
