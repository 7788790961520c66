#include <agentd/client.hpp>

#include <exception>
#include <optional>
#include <stdexcept>

#include "common/protocol/token.hpp"
#include "sdk/src/create.hpp"
#include "sdk/src/outside_context.hpp"
#include "sdk/src/remote_agent.hpp"
#include "sdk/src/session.hpp"

namespace agentd {
namespace {

void check_node(const std::string& host, std::uint16_t port) {
  if (!host.empty() && port != 0) return;
  throw Error(ErrorKind::invalid_params,
              "a node's address is a host and a port, not \"" + host + "\" and " + std::to_string(port));
}

/// A coroutine that starts at once and tells when it has ended.
struct Started {
  struct promise_type {
    Started get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

struct Ending {
  std::optional<Message> answer;
  std::exception_ptr thrown;
  bool done = false;
};

Started run_to_end(Task<Message> task, Ending& ending) {
  try {
    ending.answer = co_await std::move(task);
  } catch (...) {
    ending.thrown = std::current_exception();
  }
  ending.done = true;
}

}  // namespace

AgentRef remote(std::string_view type, const RemoteOptions& where, const Json& args) {
  check_node(where.host, where.port);
  auto& session = sdk::Session::instance();
  const NodeAddress node{where.host, where.port};
  return AgentRef(
      session.agent({node, sdk::create_agent(session.running_node(node),
                                             {std::string(type), where.id, where.name,
                                              args.is_null() ? Json::object() : args, where.options})}));
}

AgentRange remote_many(std::string_view type, std::size_t count, const RemoteManyOptions& where,
                       const Json& args) {
  check_node(where.host, where.port);
  const NodeAddress node{where.host, where.port};
  sdk::SessionNode& there = sdk::Session::instance().running_node(node);
  return {node,
          sdk::create_agents(there, {std::string(type), where.prefix, count,
                                     args.is_null() ? Json::object() : args, where.options}),
          count};
}

void delete_agents(const AgentRange& agents) {
  if (!agents.empty()) sdk::delete_agents(sdk::Session::instance().node(agents.node()), agents);
}

AgentRef AgentRange::operator[](std::size_t index) const {
  if (index < size_) return attach(id(index), {node_.host, node_.port});
  throw std::out_of_range("there is no agent " + std::to_string(index) + " among " + std::to_string(size_));
}

AgentRef attach(std::string_view id, const At& node) {
  check_node(node.host, node.port);
  if (!is_agent_id(id)) {
    throw Error(ErrorKind::invalid_params,
                "an agent's id is [A-Za-z0-9._-]{1,128}, not \"" + std::string(id.substr(0, 140)) + "\"");
  }
  auto& session = sdk::Session::instance();
  session.running_node({node.host, node.port});
  return AgentRef(session.agent({{node.host, node.port}, std::string(id)}));
}

void set_token(const At& node, const std::string& token) {
  check_node(node.host, node.port);
  protocol::check_token(token, 1).value();
  sdk::Session::instance().set_token({node.host, node.port}, token);
}

Message sync_wait(Task<Message> task) {
  const auto context = std::make_shared<sdk::SyncContext>(detail::current_context());
  const detail::ContextScope scope(context.get());
  Ending ending;
  run_to_end(std::move(task), ending);
  context->run_until(ending.done);
  if (ending.thrown) std::rethrow_exception(ending.thrown);
  return *std::move(ending.answer);
}

}  // namespace agentd
