#include "tests/integration/support/process.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

/// In the child, where nothing may be called that takes a lock. A test that is aborted destroys nothing.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have ended before that.
  if (getppid() == parent && dup2(output, STDOUT_FILENO) >= 0) execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

OtherProcess::OtherProcess(const std::vector<std::string>& part) : OtherProcess("/proc/self/exe", part) {}

OtherProcess::OtherProcess(const std::string& program, const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  std::vector<std::string> all{program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> raw;
  for (std::string& argument : all) raw.push_back(argument.data());
  raw.push_back(nullptr);
  const pid_t self = getpid();
  pid_ = fork();
  if (pid_ == 0) become(raw.data(), ends[1], self);
  if (pid_ < 0) std::abort();
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

bool catches(pid_t pid, int signal) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  const std::string wanted = "SigCgt:";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(wanted)) continue;
    return (std::stoull(line.substr(wanted.size()), nullptr, 16) >> (signal - 1) & 1) != 0;
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
