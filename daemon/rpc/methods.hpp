#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/protocol/call_frame.hpp"
#include "daemon/rpc/node_control.hpp"
#include "daemon/rpc/reply.hpp"
#include "daemon/rpc/subscriptions.hpp"
#include "daemon/rpc/waits.hpp"

namespace agentd::rpc {

/// One request, on its way to its method. `params` is JSON text, valid while the method runs.
struct Request {
  std::string_view params;
  Reply reply;
  /// Null over HTTP.
  std::shared_ptr<ChannelWatcher> watcher;
  /// Of the connection, or of the HTTP request.
  Waits& waits;
  /// The frame was nested so deep that contents must be looked at.
  bool check_depth = false;
  /// Of the frame that the params stand in.
  const json::Ends* ends = nullptr;
};

/// What every method works on. Owned by the dispatcher.
struct MethodContext {
  runtime::Runtime& runtime;
  NodeControl& node;
  const NodeFacts& facts;
  const std::string& openrpc;
  /// Null where the node has one loop.
  Siblings* siblings = nullptr;
};

using Handler = void (*)(MethodContext& context, Request& request);

/// A param of a method, as OpenRPC describes it. `schema` is JSON text.
struct ParamInfo {
  std::string_view name;
  std::string_view schema;
  bool required = false;
};

/// One line of the method table.
struct MethodInfo {
  std::string_view name;
  std::string_view summary;
  std::vector<ParamInfo> params;
  /// JSON Schema of the result, as text.
  std::string_view result;
  Handler handler;
};

/// All methods, sorted by name.
[[nodiscard]] const std::vector<MethodInfo>& method_table();

void node_info(MethodContext&, Request&);
void node_drain(MethodContext&, Request&);
void node_stop(MethodContext&, Request&);
void type_list(MethodContext&, Request&);
void rpc_discover(MethodContext&, Request&);

void agent_create(MethodContext&, Request&);
void agent_create_many(MethodContext&, Request&);
void agent_clone(MethodContext&, Request&);
void agent_get(MethodContext&, Request&);
void agent_list(MethodContext&, Request&);
void agent_delete(MethodContext&, Request&);

void agent_call(MethodContext&, Request&);
void call_get(MethodContext&, Request&);
void call_cancel(MethodContext&, Request&);
void call_release(MethodContext&, Request&);
void call_list(MethodContext&, Request&);
void call_subscribe(MethodContext&, Request&);

// What comes by the thousand, read already.

/// The input of a call that came in a frame of calls.
[[nodiscard]] Result<runtime::CallInput> input_of(const protocol::CallNotice& notice);
/// @pre `request` came over a WebSocket, and wants no reply
void take_call(MethodContext&, Request&, runtime::CallRequest&, Result<runtime::CallInput> input);
/// Answers how many there were to release. All of them are, or would be, here.
std::size_t release_calls(runtime::Runtime& runtime, const std::vector<CallId>& calls);
/// All of them are, or would be, here.
void subscribe(runtime::Runtime& runtime, const std::shared_ptr<ChannelWatcher>& watcher,
               const std::vector<CallId>& calls, std::chrono::milliseconds grace);
/// Those of the calls that are at each shard.
[[nodiscard]] std::vector<std::vector<CallId>> by_shard(const Siblings& siblings,
                                                        const std::vector<CallId>& calls);

}  // namespace agentd::rpc
