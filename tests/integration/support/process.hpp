#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

/// A program that a test started; killed at the end of the scope, and with the thread that started it: an
/// aborted test leaves none behind.
class OtherProcess {
public:
  /// This test program again, to play another part.
  explicit OtherProcess(const std::vector<std::string>& part);
  OtherProcess(const std::string& program, const std::vector<std::string>& arguments);
  ~OtherProcess();
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  /// The next line that it prints; empty where it printed none before it ended.
  std::string line();
  void kill();
  /// Waits for its end, and answers how it ended: as `waitpid` has it.
  int wait();
  [[nodiscard]] pid_t pid() const { return pid_; }

private:
  pid_t pid_ = -1;
  int output_ = -1;
};

/// Asks again and again, for 10 s at most.
bool becomes_true(const std::function<bool()>& condition);

/// Whether that process has a handler for that signal.
bool catches(pid_t pid, int signal);

/// Neither running nor a zombie of ours.
bool is_gone(pid_t pid);
