#include "tests/integration/sdk/parts.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/sdk/agents.hpp"

using namespace std::chrono_literals;

namespace {

void tell(const std::string& line) { std::cout << line << std::endl; }

/// A server on that port.
void serve(std::uint16_t port) {
  agentd::AgentServer server{{.port = port}};
  server.launch();
  tell(std::to_string(server.port()));
  server.wait_until_terminate();
  tell("ended");
}

/// A program with a launched server, which never ends by itself.
void be_a_parent() {
  const auto agent = agentd::make<Notebook>().to_dist();
  tell(agent.call("pid").content().dump());
  std::this_thread::sleep_for(300s);
}

/// Calls, reads nothing, and ends.
void call_and_end(std::uint16_t port, const std::string& agent) {
  const auto notebook = agentd::attach(agent, {.port = port});
  for (int i = 0; i < 100; ++i) (void)notebook(i);
}

/// Calls when its statics are destroyed, after what belongs to its thread has been.
void call_at_the_end(std::uint16_t port, const std::string& agent) {
  struct LastWords {
    ~LastWords() {
      // One of these has the memory of whatever of that size was destroyed before.
      std::vector<std::string> texts;
      texts.reserve(256);
      while (texts.size() < 256) texts.emplace_back(16 * texts.size(), 'z');
      (void)notebook("last");
      for (const std::string& text : texts) {
        if (text.find_first_not_of('z') != std::string::npos) std::_Exit(1);
      }
    }
    agentd::AgentRef notebook;
  };
  const auto notebook = agentd::attach(agent, {.port = port});
  (void)notebook(std::string(500, 'a'));
  static const LastWords last{notebook};
}

/// Calls local agents when there are none any more, since its statics are destroyed.
void call_local_at_the_end() {
  struct LastWords {
    static void tell_how(const char* when, const agentd::Message& answer) {
      const bool settled = answer.wait_for(10s);
      tell(std::string(when) + ": " +
           (settled && answer.error() ? std::string(kind_name(answer.error()->kind())) : "no error"));
    }
    ~LastWords() {
      tell_how("before", answer);
      tell_how("after", gate("after"));
    }
    agentd::AgentRef gate;
    agentd::Message answer;
  };
  static LastWords last;
  last.gate = agentd::make<Gate>();
  last.answer = last.gate("before");
  last.answer.then([](const agentd::Message&) { tell("called back"); });
}

/// Calls, says which call it is, and ends before there is an answer.
void call_slow_and_end(std::uint16_t port) {
  const auto slow = agentd::remote("sleeper", {.port = port}, {{"seconds", 0.3}});
  // Never destroyed: the last copy of a message that goes releases the call.
  static const agentd::Message& answer = *new agentd::Message(slow("late"));
  std::optional<agentd::Placeholder> sent;
  while (!(sent = answer.placeholder())) std::this_thread::sleep_for(1ms);
  tell(std::string(sent->call.text()));
}

void call_nobody_and_end(std::uint16_t port) {
  static const agentd::Message forever = agentd::attach("nobody", {.port = port})(1);
}

void launch_without_init() {
  try {
    (void)agentd::make<Notebook>().to_dist();
    tell("launched");
  } catch (const std::logic_error& error) {
    tell(error.what());
  }
}

/// A program two of whose types have one name, in the servers that it launches too.
constexpr const char* twins = "AGENTD_TEST_TWINS";

void be_a_twin() { agentd::detail::linked_types().push_back(agentd::agent_type<Notebook>("Notebook")); }

void launch_twins() {
  setenv(twins, "1", 1);
  try {
    (void)agentd::make<Notebook>().to_dist();
    tell("launched");
  } catch (const agentd::Error& error) {
    tell(std::string(kind_name(error.kind())) + ": " + error.what());
  }
}

}  // namespace

void play_part(int argc, char** argv) {
  if (std::getenv(twins)) be_a_twin();
  if (argc < 2) return;
  const std::string part = argv[1];
  const auto port = static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 0);
  if (part == "--no-init") {
    launch_without_init();
    std::exit(0);
  }
  agentd::init(argc, argv);
  if (part == "--serve")
    serve(port);
  else if (part == "--twins")
    launch_twins();
  else if (part == "--parent")
    be_a_parent();
  else if (part == "--call-and-end")
    call_and_end(port, argv[3]);
  else if (part == "--call-at-the-end")
    call_at_the_end(port, argv[3]);
  else if (part == "--call-local-at-the-end")
    call_local_at_the_end();
  else if (part == "--call-slow-and-end")
    call_slow_and_end(port);
  else if (part == "--call-nobody")
    call_nobody_and_end(port);
  else
    return;
  std::exit(0);
}
