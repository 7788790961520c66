// Map-reduce over 100 agents on 3 nodes: counts the words of a text. The counts travel from the
// mappers' nodes straight to the reducer's; this program sees the total only.

#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <agentd/agentd.hpp>

class WordCounter : public agentd::Agent {
public:
  static void describe(agentd::TypeOf<WordCounter>& type) { type.description("Counts words").quick(); }

  agentd::Message reply(const agentd::Message& x) override {
    std::map<std::string, int> counts;
    std::istringstream words(x.content().get<std::string>());
    for (std::string word; words >> word;) ++counts[word];
    return agentd::Json(counts);
  }
};
AGENTD_REGISTER_AGENT(WordCounter);

class Summer : public agentd::Agent {
public:
  static void describe(agentd::TypeOf<Summer>& type) { type.description("Adds counts up").quick(); }

  agentd::Message reply(const agentd::Message& x) override {
    std::map<std::string, int> total;
    for (const agentd::Message& part : x.parts()) {
      for (const auto& [word, count] : part.content().items()) total[word] += count.get<int>();
    }
    return agentd::Json(total);
  }
};
AGENTD_REGISTER_AGENT(Summer);

int main(int argc, char** argv) try {
  agentd::init(argc, argv);
  constexpr int nodes = 3, mappers = 100;
  const std::string text = "the tide comes in and the tide goes out";

  // Three servers of this very program, and a reducer on the first.
  std::vector<agentd::AgentRef> homes;
  homes.reserve(nodes);
  for (int i = 0; i < nodes; ++i) homes.push_back(agentd::make<Summer>().to_dist());
  std::vector<agentd::Message> counts;
  for (int i = 0; i < mappers; ++i) {
    const agentd::NodeAddress node = homes[i % nodes].address().node;
    const auto mapper = agentd::remote("WordCounter", {.host = node.host, .port = node.port});
    counts.push_back(mapper(text));
  }
  const agentd::Message total = homes[0](agentd::Message::inputs(counts));
  for (const auto& [word, count] : total.content().items()) std::cout << word << ": " << count << '\n';
  return total.content().at("tide") == 2 * mappers ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "map_reduce: " << error.what() << '\n';
  return 1;
}
