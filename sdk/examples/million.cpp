// A million agents on one node, made with one request: calls each, reads every answer, deletes them. So many
// calls are open at once: each takes memory, and a node keeps only so many outcomes for one program.
//
//     million [--host 127.0.0.1] [--port 12001] [--count 1000000] [--seconds 1] [--open 200000]

#include <unistd.h>

#include <chrono>
#include <deque>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <agentd/client.hpp>

namespace {

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 12001;
  std::size_t count = 1'000'000, open = 200'000;
  double seconds = 1;
};

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    std::istringstream value(i + 1 < argc ? argv[i + 1] : "");
    if (name == "--host") value >> options.host;
    if (name == "--port") value >> options.port;
    if (name == "--count") value >> options.count;
    if (name == "--seconds") value >> options.seconds;
    if (name == "--open") value >> options.open;
    if (!value || !value.eof())
      throw std::invalid_argument(name + ": say --host, --port, --count, --seconds or --open, and a value");
  }
  return options;
}

/// What has been done, on standard error: a bar while that is a terminal, and a line for each phase.
class Progress {
public:
  explicit Progress(std::size_t count) : count_(count) {}
  void show(const char* what, std::size_t done) {
    if (!terminal_ || Clock::now() < next_) return;
    next_ = Clock::now() + std::chrono::milliseconds(100);
    std::cerr << '\r' << what << " [" << std::string(40 * done / count_, '#')
              << std::string(40 - 40 * done / count_, ' ') << "] " << done << " of " << count_;
  }
  void finish(const char* what) {
    const std::chrono::duration<double> time = Clock::now() - started_;
    std::cerr << (terminal_ ? "\r\033[K" : "") << what << ' ' << count_ << ", " << time.count()
              << " s after the start\n";
  }

private:
  using Clock = std::chrono::steady_clock;
  std::size_t count_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  Clock::time_point started_ = Clock::now(), next_ = started_;
};

void call(const agentd::AgentRange& agents, std::size_t open, Progress& progress) try {
  std::deque<agentd::Message> answers;
  std::size_t read = 0;
  const auto read_one = [&] {
    if (answers.front().content() != read++) throw std::runtime_error("an answer is not what was asked");
    answers.pop_front();
    progress.show("answered", read);
  };
  for (std::size_t i = 0; i < agents.size(); ++i) {
    answers.push_back(agents[i](i));
    if (answers.size() >= open) read_one();
  }
  progress.finish("called");
  while (!answers.empty()) read_one();
  progress.finish("answered");
} catch (...) {
  delete_agents(agents);
  throw;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto [host, port, count, open, seconds] = read(argc, argv);
  Progress progress(count);
  const auto agents = agentd::remote_many("sleeper", count, {host, port}, {{"seconds", seconds}});
  progress.finish("created");
  call(agents, open, progress);
  delete_agents(agents);
  progress.finish("deleted");
  std::cout << "read the answers of " << count << " agents\n";
} catch (const std::exception& error) {
  std::cerr << "million: " << error.what() << '\n';
  return 1;
}
