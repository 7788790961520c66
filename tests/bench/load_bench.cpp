// A load on a daemon that runs already: raw calls over many WebSockets, to the agents PREFIX-0 and on.
//
//     load_bench offer PORT PREFIX AGENTS CONNECTIONS RATE SECONDS    RATE calls a second, whatever becomes
//                                                                     of those before: an open loop
//     load_bench keep PORT PREFIX AGENTS CONNECTIONS WINDOW COUNT     WINDOW calls in flight: a closed loop
//
// `offer` counts a call's time from the moment when it was due. Who is due goes to the connections in turn,
// in bursts of 16. A call whose connection has not taken what was due before, up to a bound, is held back:
// never sent, and counted. What settles is released, what is refused too, so that it holds no lane. After the
// last call it waits 30 s at most for what has not settled. One line of JSON:
//
//     offered, sent, done (while it offered: done_in_time), without_value, failed, refused (by the bound that
//     was met), unanswered, answered_twice, lost_connections; per_second: done while it offered; p50_us,
//     p99_us, p999_us; drain_s; busy: the share of a core that this program took while it offered

#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/histogram.hpp"
#include "tests/bench/load_socket.hpp"
#include "tests/bench/load_text.hpp"
#include "tests/bench/report.hpp"

namespace {

using agentd::bench::Clock;
using agentd::bench::Histogram;
using agentd::bench::LoadSocket;
using agentd::bench::LoadText;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr std::uint64_t burst = 16;
/// How often calls that are due are looked for: those of one tick share frames.
constexpr std::chrono::microseconds tick{100};
constexpr std::chrono::seconds longest_drain{30};
/// What may wait in this program, for all connections together, and for one of very many.
constexpr std::size_t room = 16U << 20, least_room = 64U << 10;
constexpr std::size_t ids_per_release = 4096;

struct Plan {
  std::uint16_t port = 0;
  std::string prefix;
  std::uint64_t agents = 1;
  std::uint64_t connections = 1;
  /// Calls a second; 0: as many as the window lets.
  double rate = 0;
  /// Calls in flight on one connection; without a rate only.
  std::uint64_t window = 0;
  std::uint64_t calls = 0;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class Load {
public:
  explicit Load(Plan plan)
      : plan_(std::move(plan)),
        text_(plan_.prefix),
        room_(std::max(room / plan_.connections, least_room)),
        answered_(plan_.calls),
        poll_(::epoll_create1(0)) {
    connections_.reserve(plan_.connections);
    for (std::uint64_t i = 0; i < plan_.connections; ++i) {
      Connection& connection = connections_.emplace_back(LoadSocket(plan_.port));
      epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = i}};
      ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket.number(), &event);
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { ::close(poll_); }

  void run() {
    const double cpu = cpu_seconds();
    start_ = Clock::now();
    if (plan_.rate > 0) {
      while (next_ < plan_.calls) {
        offer();
        wait(tick);
      }
    } else {
      for (std::uint64_t i = 0; i < connections_.size(); ++i) refill(i);
      while (next_ < plan_.calls && lost_ < connections_.size()) wait(longest_drain);
    }
    if (plan_.rate == 0) wait_for_answers();
    took_ = std::chrono::duration<double>(Clock::now() - start_).count();
    busy_ = (cpu_seconds() - cpu) / took_;
    done_in_time_ = done_;
    const auto end = Clock::now();
    wait_for_answers();
    drain_ = std::chrono::duration<double>(Clock::now() - end).count();
  }

  void print() const {
    std::string refused;
    for (const auto& [limit, count] : refused_)
      refused += (refused.empty() ? "\"" : ",\"") + limit + "\":" + std::to_string(count);
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf(
        "{\"offered\":%llu,\"sent\":%llu,\"done\":%llu,\"done_in_time\":%llu,\"without_value\":%llu,"
        "\"failed\":%llu,\"refused\":{%s},\"unanswered\":%llu,\"answered_twice\":%llu,"
        "\"lost_connections\":%llu,\"per_second\":%.0f,",
        number(plan_.calls), number(sent_), number(done_), number(done_in_time_), number(without_value_),
        number(failed_), refused.c_str(), number(sent_ - settled_), number(answered_twice_), number(lost_),
        static_cast<double>(done_in_time_) / took_);
    const auto microseconds = [this](double share) { return static_cast<double>(times_.at(share)) * 1e-3; };
    std::printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"drain_s\":%.3f,\"busy\":%.2f}\n",
                microseconds(0.5), microseconds(0.99), microseconds(0.999), drain_, busy_);
  }

private:
  struct Connection {
    explicit Connection(LoadSocket opened) : socket(std::move(opened)) {}

    LoadSocket socket;
    std::uint64_t in_flight = 0;
    std::vector<std::uint64_t> to_release{};
    bool touched = false;
    bool lost = false;
  };

  void wait_for_answers() {
    const auto until = Clock::now() + longest_drain;
    while (settled_ < sent_ && lost_ < connections_.size() && Clock::now() < until) wait(tick);
  }

  [[nodiscard]] Clock::time_point due(std::uint64_t call) const {
    return start_ + nanoseconds(static_cast<std::int64_t>(static_cast<double>(call) / plan_.rate * 1e9));
  }

  /// Sends what is due by now, or holds it back.
  void offer() {
    for (const auto now = Clock::now(); next_ < plan_.calls && due(next_) <= now; ++next_) {
      const std::uint64_t index = next_ / burst % connections_.size();
      Connection& connection = connections_[index];
      if (!connection.lost && connection.socket.waiting() < room_) send(index, next_);
    }
    flush();
  }

  /// Sends as many as the window lets.
  void refill(std::uint64_t index) {
    while (next_ < plan_.calls && connections_[index].in_flight < plan_.window) send(index, next_++);
  }

  void send(std::uint64_t index, std::uint64_t call) {
    // Those that follow each other go to agents far from each other.
    constexpr std::uint64_t scatter = 2'654'435'761;
    Connection& connection = connections_[index];
    release(connection);
    text_.append_call(connection.socket.begin(), call, call * scatter % plan_.agents);
    ++connection.in_flight;
    ++sent_;
    touch(index);
  }

  void release(Connection& connection) const {
    if (connection.to_release.empty()) return;
    text_.append_release(connection.socket.begin(), connection.to_release);
    connection.to_release.clear();
  }

  void touch(std::uint64_t index) {
    if (std::exchange(connections_[index].touched, true)) return;
    touched_.push_back(index);
  }

  void flush() {
    for (const std::uint64_t index : touched_) {
      Connection& connection = connections_[index];
      connection.touched = false;
      if (!connection.lost && !connection.socket.flush()) lose(connection);
    }
    touched_.clear();
  }

  void lose(Connection& connection) {
    connection.lost = true;
    ++lost_;
    ::epoll_ctl(poll_, EPOLL_CTL_DEL, connection.socket.number(), nullptr);
  }

  /// Until something may be read or written, or so long.
  void wait(nanoseconds limit) {
    flush();
    const auto seconds = duration_cast<std::chrono::seconds>(limit);
    const timespec time{seconds.count(), (limit - seconds).count()};
    std::array<epoll_event, 256> events;
    const int count = ::epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &time, nullptr);
    for (int i = 0; i < count; ++i) serve(events[static_cast<std::size_t>(i)].data.u64);
    flush();
  }

  void serve(std::uint64_t index) {
    Connection& connection = connections_[index];
    const auto now = Clock::now();
    auto got = LoadSocket::Got::something;
    // Told once of what is there: so all of it is read.
    while (got == LoadSocket::Got::something) {
      got = connection.socket.receive([&](std::string_view text) {
        text_.read(text, [&](const LoadText::Outcome& outcome) { settled(connection, outcome, now); });
      });
    }
    if (got == LoadSocket::Got::end) return lose(connection);
    if (plan_.rate == 0) refill(index);
    if (connection.to_release.size() >= ids_per_release || next_ == plan_.calls) release(connection);
    touch(index);
  }

  void settled(Connection& connection, const LoadText::Outcome& outcome, Clock::time_point now) {
    if (outcome.number >= answered_.size()) return;
    if (answered_[outcome.number]) {
      ++answered_twice_;
      return;
    }
    answered_[outcome.number] = true;
    connection.to_release.push_back(outcome.number);
    --connection.in_flight;
    ++settled_;
    if (!outcome.done) {
      ++(outcome.limit.empty() ? failed_ : refused_[std::string(outcome.limit)]);
      return;
    }
    ++done_;
    if (!outcome.has_value) ++without_value_;
    if (plan_.rate > 0)
      times_.add(static_cast<std::uint64_t>(std::max(now - due(outcome.number), nanoseconds(0)).count()));
  }

  Plan plan_;
  LoadText text_;
  std::size_t room_;
  std::vector<bool> answered_;
  int poll_;
  std::vector<Connection> connections_;
  std::vector<std::uint64_t> touched_;
  Clock::time_point start_;
  std::uint64_t next_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t done_in_time_ = 0;
  std::uint64_t without_value_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t answered_twice_ = 0;
  std::uint64_t lost_ = 0;
  std::map<std::string, std::uint64_t> refused_;
  Histogram times_;
  double took_ = 0;
  double busy_ = 0;
  double drain_ = 0;
};

Plan plan_of(char** argv, bool offers) {
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  Plan plan;
  plan.port = static_cast<std::uint16_t>(number(2));
  plan.prefix = argv[3];
  plan.agents = std::max(1ULL, number(4));
  plan.connections = std::max(1ULL, number(5));
  if (offers) {
    plan.rate = std::max(1.0, std::atof(argv[6]));
    plan.calls = static_cast<std::uint64_t>(plan.rate * std::atof(argv[7]));
  } else {
    plan.window = std::max(1ULL, number(6) / plan.connections);
    plan.calls = number(7);
  }
  return plan;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc == 8 ? argv[1] : "";
  if (what != "offer" && what != "keep") {
    std::fprintf(stderr,
                 "load_bench: offer PORT PREFIX AGENTS CONNECTIONS RATE SECONDS |"
                 " keep PORT PREFIX AGENTS CONNECTIONS WINDOW COUNT\n");
    return 64;
  }
  raise_open_files();
  Load load(plan_of(argv, what == "offer"));
  load.run();
  load.print();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "load_bench: %s\n", error.what());
  return 1;
}
