// Agents that call agents: an editor is handed two writers and asks them itself, at the same time.
// What a writer says goes to the editor; this program sees the finished page only.

#include <iostream>
#include <string>

#include <agentd/agentd.hpp>

class Writer : public agentd::Agent {
public:
  explicit Writer(const agentd::Json& args) : style_(args.value("style", "plain")) {}
  agentd::Message reply(const agentd::Message& x) override {
    return style_ + " words on " + x.content().get<std::string>();
  }

private:
  std::string style_;
};
AGENTD_REGISTER_AGENT(Writer);

class Editor : public agentd::Agent {
public:
  explicit Editor(const agentd::Json& args)
      : first_(args.at("first").get<agentd::AgentRef>()),
        second_(args.at("second").get<agentd::AgentRef>()) {}

  agentd::Task<agentd::Message> reply_async(agentd::Message x) override {
    const agentd::Message draft = first_(x);  // both are asked at once
    const agentd::Message other = second_(x);
    co_await draft;
    co_await other;
    co_return draft.content().get<std::string>() + "; " + other.content().get<std::string>();
  }

private:
  agentd::AgentRef first_;
  agentd::AgentRef second_;
};
AGENTD_REGISTER_AGENT(Editor);

int main(int argc, char** argv) try {
  agentd::init(argc, argv);
  const auto plain = agentd::make<Writer>({{"style", "plain"}}).to_dist();
  const auto ornate = agentd::make<Writer>({{"style", "ornate"}}).to_dist();
  const auto editor = agentd::make<Editor>({{"first", plain}, {"second", ornate}}).to_dist();
  std::cout << editor("tides").content().get<std::string>() << '\n';
} catch (const std::exception& error) {
  std::cerr << "nested: " << error.what() << '\n';
  return 1;
}
