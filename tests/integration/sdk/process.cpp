#include "tests/integration/sdk/process.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/sdk/agents.hpp"

using namespace std::chrono_literals;

OtherProcess::OtherProcess(const std::vector<std::string>& part) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  std::vector<std::string> arguments{"sdk_integration_tests"};
  arguments.insert(arguments.end(), part.begin(), part.end());
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  if (posix_spawn(&pid_, "/proc/self/exe", &files, nullptr, raw.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&files);
  close(ends[1]);
  output_ = ends[0];
}

OtherProcess::~OtherProcess() {
  kill();
  close(output_);
}

std::string OtherProcess::line() {
  std::string text;
  for (char c = 0; read(output_, &c, 1) == 1 && c != '\n';) text += c;
  return text;
}

void OtherProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

int OtherProcess::wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

bool is_gone(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return true;
  // After the name in parentheses; an orphan's body may be left for whoever adopted it.
  const bool ours = text.find(") Z " + std::to_string(getpid()) + " ") != std::string::npos;
  return !ours && text.find(") Z ") != std::string::npos;
}

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

}  // namespace

void play_part(int argc, char** argv) {
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
  else if (part == "--parent")
    be_a_parent();
  else if (part == "--call-and-end")
    call_and_end(port, argv[3]);
  else if (part == "--call-nobody")
    call_nobody_and_end(port);
  else
    return;
  std::exit(0);
}
