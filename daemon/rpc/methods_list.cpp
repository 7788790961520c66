#include <memory>
#include <optional>
#include <utility>

#include "common/json/text.hpp"
#include "daemon/rpc/cursor.hpp"
#include "daemon/rpc/json_rpc_dispatcher.hpp"
#include "daemon/rpc/methods.hpp"
#include "daemon/rpc/views.hpp"

namespace agentd::rpc {
namespace {

/// How many entries a list looks at for one page: a filter must not hold the loop up.
constexpr std::size_t looked_at_per_page = 10'000;
/// As so many bytes of requests a list counts, until it is answered: what it makes other loops do is more
/// than its own length says.
constexpr std::size_t weight_of_a_list = 64U << 10;

struct Agents {
  static const runtime::HostedAgent* after(const runtime::Runtime& runtime, std::uint64_t seq) {
    return runtime.agent_after(seq);
  }
  static bool fits(const runtime::HostedAgent& agent, const protocol::ListParams& params) {
    return params.type.empty() || agent.type->name == params.type;
  }
  static void append(std::string& out, const runtime::HostedAgent& agent) { append_agent_entry(out, agent); }
};

struct Calls {
  static const runtime::Call* after(const runtime::Runtime& runtime, std::uint64_t seq) {
    return runtime.call_after(seq);
  }
  static bool fits(const runtime::Call& call, const protocol::ListParams& params) {
    return (params.agent.empty() || call.agent->id == params.agent) &&
           (params.state.empty() || runtime::state_name(call.shown_state()) == params.state);
  }
  static void append(std::string& out, const runtime::Call& call) { append_call_entry(out, call); }
};

/// One page, on its way through the shards: each puts in what it has, one after the other.
struct Page {
  protocol::ListParams params;
  std::string text;
  std::uint32_t listed = 0;
  std::size_t looked = 0;
  /// Who asked: what follows is used there.
  std::size_t asked = 0;
  PendingRequest request;
  Reply reply;
};

/// Answers where the shard has more.
template <typename List>
std::optional<ListPlace> fill(Page& page, const runtime::Runtime& runtime, ListPlace place) {
  const auto* entry = List::after(runtime, place.seq);
  for (; entry && page.listed < page.params.limit && page.looked < looked_at_per_page; ++page.looked) {
    if (List::fits(*entry, page.params)) {
      if (page.listed++ > 0) page.text += ',';
      List::append(page.text, *entry);
    }
    place.seq = entry->seq;
    entry = entry->next;
  }
  if (!entry) return std::nullopt;
  return place;
}

void finish(MethodContext& context, const std::shared_ptr<Page>& page, const std::optional<ListPlace>& rest) {
  page->text += ']';
  if (rest) {
    page->text += R"(,"next_cursor":)";
    json::append_string(page->text, cursor_behind(*rest, context.facts.boot));
  }
  page->text += '}';
  const std::size_t here = context.runtime.shard();
  const auto answer = [page] {
    page->request.done();
    page->reply.result(page->text);
  };
  if (here == page->asked) return answer();
  context.siblings->shards().at(here, page->asked, [answer](runtime::Runtime&) { answer(); });
}

template <typename List>
void walk(MethodContext& context, const std::shared_ptr<Page>& page, ListPlace place) {
  const std::size_t here = context.runtime.shard();
  if (place.shard == here) {
    if (const auto rest = fill<List>(*page, context.runtime, place)) return finish(context, page, rest);
    place = {here + 1, 0};
  }
  if (!context.siblings || place.shard == context.siblings->count()) return finish(context, page, {});
  context.siblings->at(here, place.shard,
                       [page, place](JsonRpcDispatcher& there) { walk<List>(there.context(), page, place); });
}

template <typename List>
void answer_list(MethodContext& context, Request& request, std::string_view name,
                 const Result<protocol::ListParams>& params) {
  if (!params) return request.reply.error(params.error());
  const std::size_t shards = context.siblings ? context.siblings->count() : 1;
  const auto place = read_cursor(params->cursor, context.facts.boot, shards);
  if (!place) return request.reply.error(place.error());
  const auto page = std::make_shared<Page>();
  page->params = *params;
  (page->text = "{\"") += name;
  page->text += "\":[";
  page->asked = context.runtime.shard();
  page->request = pending(context, request, weight_of_a_list);
  page->reply = std::move(request.reply);
  walk<List>(context, page, *place);
}

}  // namespace

void agent_list(MethodContext& context, Request& request) {
  if (!request.reply.wanted()) return;
  answer_list<Agents>(context, request, "agents", protocol::read_agent_list_params(request.params));
}

void call_list(MethodContext& context, Request& request) {
  if (!request.reply.wanted()) return;
  answer_list<Calls>(context, request, "calls", protocol::read_call_list_params(request.params));
}

}  // namespace agentd::rpc
