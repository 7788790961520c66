#include "daemon/rpc/methods.hpp"

namespace agentd::rpc {
namespace {

constexpr std::string_view agent_id = R"({"type":"string","pattern":"^[A-Za-z0-9._-]{1,128}$"})";
constexpr std::string_view call_id = R"({"type":"string","pattern":"^[A-Za-z0-9_-]{16,64}$"})";
constexpr std::string_view call_ids =
    R"({"type":"array","items":{"type":"string","pattern":"^[A-Za-z0-9_-]{16,64}$"}})";
constexpr std::string_view type_name = R"({"type":"string"})";
constexpr std::string_view text = R"({"type":"string"})";
constexpr std::string_view any = R"({})";
constexpr std::string_view object = R"({"type":"object"})";
constexpr std::string_view empty = R"({"type":"object","additionalProperties":false})";
constexpr std::string_view flag = R"({"type":"boolean"})";
constexpr std::string_view milliseconds = R"({"type":"integer","minimum":0})";
constexpr std::string_view deadline = R"({"type":"integer","minimum":1})";
constexpr std::string_view page = R"({"type":"integer","minimum":1,"maximum":1000,"default":100})";
constexpr std::string_view call_state =
    R"({"type":"string","enum":["waiting","queued","running","done","failed","cancelled"]})";
constexpr std::string_view options =
    R"({"type":"object","additionalProperties":false,"properties":{)"
    R"("ordering":{"type":"string","enum":["caller","ready"],"default":"caller"},)"
    R"("deadline_ms":{"type":"integer","minimum":1},"mailbox":{"type":"integer","minimum":1},"state":{},)"
    R"("claim":{"type":"string"}}})";
constexpr std::string_view agent_made =
    R"({"type":"object","required":["agent","type","name","host","port"],"properties":{)"
    R"("agent":{"type":"string"},"type":{"type":"string"},"name":{"type":"string"},)"
    R"("host":{"type":"string"},"port":{"type":"integer"}}})";
constexpr std::string_view call_made =
    R"({"type":"object","required":["call","state","placeholder"],"properties":{)"
    R"("call":{"type":"string"},"state":{"type":"string"},"placeholder":{"type":"object"},"value":{"type":"object"}}})";

std::vector<MethodInfo> make_table() {
  return {
      {"agent.call",
       "Calls a method of an agent; answers at once with a placeholder, or with the value when wait_ms "
       "allows",
       {{"agent", agent_id, true},
        {"method", R"({"type":"string","default":"reply"})"},
        {"input", any},
        {"call", call_id},
        {"deadline_ms", deadline},
        {"wait_ms", milliseconds},
        {"release", flag},
        {"settled", R"({"type":"string","enum":["value","state","auto"],"default":"value"})"},
        {"caller", R"({"type":"string","pattern":"^[A-Za-z0-9._:/-]{1,160}$"})"},
        {"path", R"({"type":"array","items":{"type":"string"}})"}},
       call_made,
       agent_call},
      {"agent.clone",
       "Copies an agent with the state that a call at this place would see",
       {{"agent", agent_id, true}, {"as", agent_id}},
       agent_made,
       agent_clone},
      {"agent.create",
       "Makes an agent; the same id, type and args again give the same answer",
       {{"type", type_name, true},
        {"agent", agent_id},
        {"name", text},
        {"args", object},
        {"options", options}},
       agent_made,
       agent_create},
      {"agent.create_many",
       "Makes agents PREFIX-0, PREFIX-1, and so on",
       {{"type", type_name, true},
        {"count", R"({"type":"integer","minimum":1,"maximum":10000000})", true},
        {"prefix", agent_id, true},
        {"args", object},
        {"options", options}},
       R"({"type":"object","required":["count","first","last"],"properties":{"count":{"type":"integer"},"first":{"type":"string"},"last":{"type":"string"}}})",
       agent_create_many},
      {"agent.delete",
       "Deletes an agent: the running call finishes, queued ones fail",
       {{"agent", agent_id, true}},
       empty,
       agent_delete},
      {"agent.get", "Shows an agent and its state", {{"agent", agent_id, true}}, object, agent_get},
      {"agent.list",
       "Lists agents in the order of creation",
       {{"type", type_name}, {"cursor", text}, {"limit", page}},
       R"({"type":"object","required":["agents"],"properties":{"agents":{"type":"array","items":{"type":"object"}},"next_cursor":{"type":"string"}}})",
       agent_list},
      {"call.cancel",
       "Gives a call up; who waits for it learns at once",
       {{"call", call_id, true}},
       R"({"type":"object","required":["call","state"],"properties":{"call":{"type":"string"},"state":{"type":"string"}}})",
       call_cancel},
      {"call.get",
       "Shows a call and its outcome",
       {{"call", call_id, true}, {"wait_ms", milliseconds}},
       object,
       call_get},
      {"call.list",
       "Lists calls in the order of acceptance",
       {{"agent", agent_id}, {"state", call_state}, {"cursor", text}, {"limit", page}},
       R"({"type":"object","required":["calls"],"properties":{"calls":{"type":"array","items":{"type":"object"}},"next_cursor":{"type":"string"}}})",
       call_list},
      {"call.release",
       "The outcomes are no longer needed",
       {{"calls", call_ids, true}},
       R"({"type":"object","required":["released"],"properties":{"released":{"type":"integer"}}})",
       call_release},
      {"call.subscribe",
       "Brings call.settled and call.progress for each call; WebSocket only",
       {{"calls", call_ids, true}, {"grace_ms", milliseconds}},
       empty,
       call_subscribe},
      {"node.drain", "Takes no new calls from here on; /readyz says 503", {}, empty, node_drain},
      {"node.info", "Shows this node", {}, object, node_info},
      {"node.stop", "Drains, then stops", {{"grace_ms", milliseconds}}, empty, node_stop},
      {"rpc.discover", "Answers this document", {}, object, rpc_discover},
      {"type.list",
       "Lists the agent types",
       {},
       R"({"type":"object","required":["types"],"properties":{"types":{"type":"array","items":{"type":"object"}}}})",
       type_list},
  };
}

}  // namespace

const std::vector<MethodInfo>& method_table() {
  static const std::vector<MethodInfo> table = make_table();
  return table;
}

}  // namespace agentd::rpc
