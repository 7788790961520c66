// The graph A to F: B and C after A; D after B and C; E needs nothing; F after D and E. No line says
// what may run in parallel: whatever is independent does, on whichever node it lives.
//
//     graph                                     each agent in an agent server of its own
//     graph 127.0.0.1:12001 127.0.0.1:12002     on nodes that have the type "stage" (see plugin/)

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <agentd/agentd.hpp>

#include "stage.hpp"

AGENTD_REGISTER_AGENT_AS(Stage, "stage");

namespace {

using agentd::AgentRef;
using agentd::Json;
using agentd::Message;

/// A stage on the next of the nodes in turn; without nodes, in a process of its own.
AgentRef make_stage(const std::string& name, double seconds, const std::vector<agentd::NodeAddress>& nodes) {
  static std::size_t turn = 0;
  const Json args{{"name", name}, {"seconds", seconds}};
  if (nodes.empty()) return agentd::make<Stage>(args).to_dist();
  const agentd::NodeAddress& node = nodes[turn++ % nodes.size()];
  return agentd::remote("stage", {.host = node.host, .port = node.port}, args);
}

void draw(const std::vector<std::pair<std::string, Message>>& flow) {
  double first = 1e300, last = 0, serial = 0;
  for (const auto& [where, message] : flow) {
    first = std::min(first, message.content().at("started").get<double>());
    last = std::max(last, message.content().at("ended").get<double>());
  }
  constexpr double width = 56;
  const double scale = width / (last - first);
  for (const auto& [where, message] : flow) {
    const Json& work = message.content();
    const double from = work.at("started").get<double>() - first, to = work.at("ended").get<double>() - first;
    serial += to - from;
    std::string bar(static_cast<std::size_t>(width) + 1, ' ');
    for (auto i = static_cast<std::size_t>(from * scale); i < static_cast<std::size_t>(to * scale); ++i)
      bar[i] = '#';
    std::printf("  %s |%s| %.2f s to %.2f s  on %s\n", work.at("stage").get<std::string>().c_str(),
                bar.c_str(), from, to, where.c_str());
  }
  std::printf("\n  one after another: %.2f s;  as it ran: %.2f s  (%.1f times as fast)\n", serial,
              last - first, serial / (last - first));
}

}  // namespace

int main(int argc, char** argv) {
  agentd::init(argc, argv);
  std::vector<agentd::NodeAddress> nodes;
  for (int i = 1; i < argc; ++i) {
    const auto node = agentd::NodeAddress::parse(argv[i]);
    if (!node) return std::fprintf(stderr, "graph: \"%s\" is no HOST:PORT\n", argv[i]), 64;
    nodes.push_back(*node);
  }
  try {
    const AgentRef a = make_stage("A", 0.3, nodes), b = make_stage("B", 0.6, nodes),
                   c = make_stage("C", 0.5, nodes), d = make_stage("D", 0.4, nodes),
                   e = make_stage("E", 0.9, nodes), f = make_stage("F", 0.3, nodes);
    const Message a1 = a();
    const Message b1 = b(a1);
    const Message c1 = c(a1);
    const Message d1 = d({b1, c1});
    const Message e1 = e();
    const Message f1 = f({d1, e1});
    std::printf("F was given %s\n\n", f1.content().at("given").dump().c_str());  // the only line that waits
    draw({{a.address().node.text(), a1},
          {b.address().node.text(), b1},
          {c.address().node.text(), c1},
          {d.address().node.text(), d1},
          {e.address().node.text(), e1},
          {f.address().node.text(), f1}});
  } catch (const agentd::Error& error) {
    return std::fprintf(stderr, "graph: %s\n", error.what()), 1;
  }
}
