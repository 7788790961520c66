#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <agentd/agent_range.hpp>
#include <agentd/agent_ref.hpp>
#include <agentd/flow.hpp>
#include <agentd/json.hpp>
#include <agentd/message.hpp>
#include <agentd/task.hpp>

/// What a program needs to call agents that live on nodes: the part of the SDK without server code.
///
///     #include <agentd/client.hpp>                    // target agentd::client
///
///     auto writer = agentd::remote("chat", {.host = "10.0.0.2"}, {{"model", "small"}});
///     auto critic = agentd::attach("critic-1", {.host = "10.0.0.3", .port = 12001});
///     std::cout << critic(writer("tides")).content();
///
/// The program keeps one connection to each node, shared by all proxies. A connection that is lost is
/// made again, and what had not settled is sent again under the same ids, so nothing runs twice. The
/// program may end at any time: what it has called goes on over there.
namespace agentd {

/// A node to talk to.
struct At {
  std::string host = "127.0.0.1";
  std::uint16_t port = 12001;
};

/// Where `remote` makes an agent, and which.
struct RemoteOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 12001;
  /// Minted where empty.
  std::string id = {};
  /// The name in its answers; its type's, or `args.name`, where empty.
  std::string name = {};
  /// As `agent.create` takes them: `deadline_ms`, `mailbox`, `ordering`, …; null for none.
  Json options = nullptr;
};

/// Makes a new agent of that type at that node, and waits until it is there. Throws `Error`:
/// `peer_unreachable` where the node could not be reached for 10 s, `type_not_found`, `conflict`
/// where the id is taken by another agent, `invalid_params`, …
[[nodiscard]] AgentRef remote(std::string_view type, const RemoteOptions& where = {},
                              const Json& args = Json::object());

/// Where `remote_many` makes agents, and which.
struct RemoteManyOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 12001;
  /// Their ids are `prefix-0`, `prefix-1`, …; minted where empty.
  std::string prefix = {};
  /// As in `RemoteOptions`, for each of them.
  Json options = nullptr;
};

/// Makes that many agents at that node with one request, 1 to 10,000,000, and waits until they are there. One
/// that is there already with the same type and `args` is one of them, and keeps its options. Throws `Error`
/// as `remote` does: `overloaded` where the node has no room for those that are not there, and then none was
/// made; `conflict` where one of the ids is taken by another agent; `invalid_params` for another count. After
/// any error but the first some of them may be there.
[[nodiscard]] AgentRange remote_many(std::string_view type, std::size_t count,
                                     const RemoteManyOptions& where = {}, const Json& args = Json::object());

/// Deletes these agents, as `agent.delete` does, and waits until they are gone. One that is gone already is
/// no error. Throws `Error`: then some of them may still be there.
void delete_agents(const AgentRange& agents);

/// Refers to an agent that exists already. Asks nobody: a call to one that does not exist fails with
/// `agent_not_found`. Throws `Error` (`invalid_params`) where `id` cannot be an agent's.
[[nodiscard]] AgentRef attach(std::string_view id, const At& node = {});

/// The token that this program shows to that node, from its next connection on; empty for none. The servers
/// that it launches show it too: it returns when they know of it, though it waits for none longer than a
/// second. Call it before the first use of the node; where the node has refused another one, before the next
/// try. Throws `Error` (`invalid_params`) where that is no token: up to 4096 visible ASCII characters.
void set_token(const At& node, const std::string& token);

/// Runs a coroutine to its end on this thread, and answers what it answers, or throws what it throws.
///
///     agentd::Message draft = agentd::sync_wait([&]() -> agentd::Task<agentd::Message> {
///       co_return co_await writer(co_await planner("tides"));
///     }());
///
/// It waits as a reader does: where reading a message that is not there throws, as on an event loop, the
/// coroutine's `co_await` of one throws too.
Message sync_wait(Task<Message> task);

}  // namespace agentd
