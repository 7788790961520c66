#include "sdk/src/launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <agentd/error.hpp>

#include "common/net/node_link.hpp"
#include "common/protocol/result.hpp"
#include "sdk/src/child_lines.hpp"
#include "sdk/src/lost_node.hpp"
#include "sdk/src/session.hpp"

namespace agentd::sdk {
namespace {

constexpr std::chrono::seconds start_limit{30};
constexpr std::chrono::seconds stop_limit{10};
/// Where the child finds its end of the line.
constexpr int line_in_child = 3;

Error not_started(const std::string& why, ErrorKind kind = ErrorKind::peer_unreachable) {
  return Error(kind, "this program could not be started again as an agent server: " + why);
}

std::string text_of(int error) { return std::strerror(error); }

/// What a child is told about its life before its first instruction.
class SpawnPlan {
public:
  explicit SpawnPlan(int line) {
    posix_spawn_file_actions_init(&files_);
    // No terminal input, and nothing inherited but the line and what it may print to.
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, line, line_in_child);
    posix_spawn_file_actions_addclosefrom_np(&files_, line_in_child + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    // A session of its own: Ctrl-C goes to the program, and the server ends with it, not before it.
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  /// The child's id, or the error's negative number.
  [[nodiscard]] pid_t spawn(std::vector<std::string> arguments) const {
    std::vector<char*> raw;
    raw.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, "/proc/self/exe", &files_, &attributes_, raw.data(), environ);
    return failed == 0 ? pid : -failed;
  }

private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

/// A launched server, and the line that it is heard by. The child ends when the line is closed: as it
/// is, at the latest, when this process ends.
struct Child {
  pid_t pid = -1;
  int line = -1;
};

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("signal ") + std::to_string(WTERMSIG(status));
  return "status " + std::to_string(WEXITSTATUS(status));
}

/// Waits for a child's end, so that it is no zombie, and lets go of its line. By its id: children that
/// are not ours are not ours to bury.
int bury(const Child& child) {
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  ChildLines::instance().remove(child.line);
  close(child.line);
  return status;
}

/// Nobody else hears of a server's end at once: who waits for its answers would wait for long.
void bury_and_tell(const Child& child, SessionNode& node) {
  const std::string end = how_it_ended(bury(child));
  const std::string at = node.address.text();
  lose_node(node, Error(ErrorKind::agent_crashed,
                        "the agent server that to_dist launched at " + at + " has ended: " + end)
                      .at_node(at)
                      .with("exit", end));
}

/// The thread that starts launched servers. It lives as long as the process, since a child's death
/// signal follows the thread that made it.
class Launcher {
public:
  static Launcher& instance() {
    static Launcher& launcher = *new Launcher;
    return launcher;
  }

  void allow(std::string program_name) {
    const std::lock_guard lock(mutex_);
    program_name_ = std::move(program_name);
  }
  void forbid() {
    const std::lock_guard lock(mutex_);
    forbidden_ = true;
  }
  NodeAddress launch(std::uint16_t port);

private:
  struct Order {
    std::vector<std::string> arguments;
    std::promise<Result<Child>> started;
  };

  [[noreturn]] void run();
  static Result<Child> start(const std::vector<std::string>& arguments);

  std::mutex mutex_;
  std::condition_variable ordered_;
  std::optional<std::string> program_name_;
  std::vector<Order> orders_;
  bool running_ = false;
  bool forbidden_ = false;
};

void Launcher::run() {
  while (true) {
    std::vector<Order> orders;
    {
      std::unique_lock lock(mutex_);
      ordered_.wait(lock, [this] { return !orders_.empty(); });
      orders.swap(orders_);
    }
    for (Order& order : orders) order.started.set_value(start(order.arguments));
  }
}

Result<Child> Launcher::start(const std::vector<std::string>& arguments) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return not_started("no line to it: " + text_of(errno));
  }
  const pid_t pid = SpawnPlan(ends[1]).spawn(arguments);
  close(ends[1]);
  if (pid > 0) return Child{pid, ends[0]};
  close(ends[0]);
  return not_started(text_of(-pid));
}

/// What the child says: a line with its port, or with `!`, the kind of error, and why it has none.
Result<std::uint16_t> read_port(int line, std::chrono::steady_clock::time_point until) {
  std::string text;
  while (text.empty() || text.back() != '\n') {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd readable{line, POLLIN, 0};
    if (left <= 0) return not_started("it did not say within 30 s where it listens");
    if (poll(&readable, 1, static_cast<int>(left)) <= 0) continue;
    char buffer[512];
    const auto count = read(line, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return not_started("it ended before it listened; does main call agentd::init first?");
    text.append(buffer, static_cast<std::size_t>(count));
  }
  text.pop_back();
  if (text.front() == '!') {
    const auto blank = std::min(text.find(' '), text.size() - 1);
    return not_started(text.substr(blank + 1), kind_from_name(text.substr(1, blank - 1)));
  }
  return static_cast<std::uint16_t>(std::stoul(text));
}

NodeAddress Launcher::launch(std::uint16_t port) {
  std::future<Result<Child>> started;
  {
    const std::lock_guard lock(mutex_);
    if (forbidden_) {
      throw Error(ErrorKind::not_supported,
                  "a server that to_dist() launched launches none itself: share one, or name one that runs");
    }
    if (!program_name_) {
      throw std::logic_error(
          "to_dist() starts this program again as an agent server: call agentd::init(argc, argv) first in "
          "main");
    }
    if (!std::exchange(running_, true)) std::thread([this] { run(); }).detach();
    orders_.push_back(
        {{*program_name_, serve_argument, std::to_string(line_in_child), std::to_string(port)}, {}});
    started = orders_.back().started.get_future();
  }
  ordered_.notify_one();
  const auto child = started.get();
  if (!child) throw Error(child.error());
  const auto until = std::chrono::steady_clock::now() + start_limit;
  const auto told = ChildLines::introduce(child->line, until);
  const auto listens = read_port(child->line, until);
  if (!listens) {
    // It is told to end, in case it has not.
    shutdown(child->line, SHUT_RDWR);
    std::thread(bury, *child).detach();
    throw Error(listens.error());
  }
  ChildLines::instance().add(child->line, told);
  SessionNode& node = Session::instance().new_node({"127.0.0.1", *listens});
  std::thread(bury_and_tell, *child, std::ref(node)).detach();
  return node.address;
}

}  // namespace

NodeAddress launch_server(std::uint16_t port) { return Launcher::instance().launch(port); }

void end_server(const NodeAddress& node) {
  Session& session = Session::instance();
  session.post([&session, &there = session.node(node)] {
    session.link(there).request("node.stop", "{}", std::chrono::steady_clock::now() + stop_limit,
                                [](const Result<std::string>&) {});
  });
}

void allow_launching(const char* program_name) { Launcher::instance().allow(program_name); }

void forbid_launching() { Launcher::instance().forbid(); }

}  // namespace agentd::sdk
