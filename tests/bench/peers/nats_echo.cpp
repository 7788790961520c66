// The same work as request and reply over a NATS server.
//
//     nats_echo serve URL                     answers requests until its standard input ends: those on `echo`
//     many
//                                             a write, those on `echo-now` at once
//     nats_echo latency URL ROUNDS            one request at a time; p50, p99 and p99.9 in microseconds
//     nats_echo rate URL COUNT WINDOW         WINDOW requests in flight; requests a second

#include <cstdio>
#include <cstdlib>
#include <string>

#include <nats/nats.h>

#include "tests/bench/peers/burst.hpp"
#include "tests/bench/report.hpp"

namespace {

using agentd::bench::Clock;

constexpr const char* many = "echo";
constexpr const char* at_once = "echo-now";
/// About a hundred bytes, as the others send.
constexpr const char* message =
    R"({"jsonrpc":"2.0","id":123456,"method":"agent.call","params":{"agent":"echo-1","input":"hello, tide"}})";
constexpr std::int64_t patience_ms = 10'000;

void require(natsStatus status) {
  if (status == NATS_OK) return;
  std::fprintf(stderr, "nats_echo: %s\n", natsStatus_GetText(status));
  std::exit(1);
}

/// One connection to the server, which writes what piled up, or each message at once.
class Connection {
public:
  Connection(const char* url, bool writes_at_once) {
    require(natsOptions_Create(&options_));
    require(natsOptions_SetURL(options_, url));
    require(natsOptions_SetSendAsap(options_, writes_at_once));
    require(natsConnection_Connect(&connection_, options_));
  }
  ~Connection() {
    natsConnection_Destroy(connection_);
    natsOptions_Destroy(options_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  [[nodiscard]] natsConnection* get() const { return connection_; }

private:
  natsOptions* options_ = nullptr;
  natsConnection* connection_ = nullptr;
};

/// Answers what comes on that subject, as long as it lives.
class Responder {
public:
  Responder(const char* url, const char* subject, bool writes_at_once);
  ~Responder() { natsSubscription_Destroy(subscription_); }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

private:
  Connection connection_;
  natsSubscription* subscription_ = nullptr;
};

void answer(natsConnection* connection, natsSubscription*, natsMsg* request, void*) {
  require(natsConnection_Publish(connection, natsMsg_GetReply(request), natsMsg_GetData(request),
                                 natsMsg_GetDataLength(request)));
  natsMsg_Destroy(request);
}

Responder::Responder(const char* url, const char* subject, bool writes_at_once)
    : connection_(url, writes_at_once) {
  require(natsConnection_Subscribe(&subscription_, connection_.get(), subject, answer, nullptr));
  require(natsConnection_Flush(connection_.get()));
}

int serve(const char* url) {
  const Responder throughput(url, many, false);
  const Responder round_trips(url, at_once, true);
  std::printf("ready\n");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

void latency(const char* url, int rounds) {
  const Connection connection(url, true);
  agentd::bench::Times times;
  for (int i = 0; i < rounds; ++i) {
    times.measure([&] {
      natsMsg* reply = nullptr;
      require(natsConnection_RequestString(&reply, connection.get(), at_once, message, patience_ms));
      natsMsg_Destroy(reply);
    });
  }
  times.print();
}

/// Requests that are all answered to one inbox.
class Requests {
public:
  Requests(natsConnection* connection, const char* subject, int count)
      : burst_(count, [=, this] {
          require(natsConnection_PublishRequestString(connection, subject, inbox_, message));
        }) {
    require(natsInbox_Create(&inbox_));
    require(natsConnection_Subscribe(&subscription_, connection, inbox_, on_answer, &burst_));
  }
  ~Requests() {
    natsSubscription_Destroy(subscription_);
    natsInbox_Destroy(inbox_);
  }
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  void run(int window) { burst_.run(window); }

private:
  static void on_answer(natsConnection*, natsSubscription*, natsMsg* answer, void* burst) {
    natsMsg_Destroy(answer);
    static_cast<agentd::bench::Burst*>(burst)->answered();
  }

  natsInbox* inbox_ = nullptr;
  natsSubscription* subscription_ = nullptr;
  agentd::bench::Burst burst_;
};

void rate(const char* url, int count, int window) {
  // Whichever is the quicker.
  const bool now = window < 100;
  const Connection connection(url, now);
  const auto start = Clock::now();
  Requests(connection.get(), now ? at_once : many, count).run(window);
  agentd::bench::print_rate(count, start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc > 2) return serve(argv[2]);
  if (what == "latency" && argc > 3) return latency(argv[2], std::atoi(argv[3])), 0;
  if (what == "rate" && argc > 4) return rate(argv[2], std::atoi(argv[3]), std::atoi(argv[4])), 0;
  std::fprintf(stderr, "nats_echo: serve URL | latency URL ROUNDS | rate URL COUNT WINDOW\n");
  return 64;
}
