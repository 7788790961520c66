// The same work over gRPC C++ (callback API).
//
//     grpc_echo serve                     prints its port; answers until its standard input ends
//     grpc_echo latency PORT ROUNDS       one call at a time; p50, p99 and p99.9 in microseconds
//     grpc_echo rate PORT COUNT WINDOW    WINDOW calls in flight; calls a second

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "echo.grpc.pb.h"
#include "tests/bench/peers/burst.hpp"
#include "tests/bench/report.hpp"

namespace {

using agentd::bench::Echo;
using agentd::bench::Text;
using Clock = agentd::bench::Clock;

class Service final : public Echo::CallbackService {
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const Text* request,
                                 Text* response) override {
    response->set_agent(request->agent());
    response->set_text(request->text());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int serve() {
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  std::printf("%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  std::_Exit(0);
}

Text message() {
  Text text;
  text.set_agent("echo-1");
  text.set_text("hello, tide");
  return text;
}

struct Call {
  grpc::ClientContext context;
  Text request = message();
  Text response;
};

void run_burst(Echo::Stub& client, int count, int window) {
  agentd::bench::Burst* running = nullptr;
  agentd::bench::Burst burst(count, [&] {
    auto owned = std::make_shared<Call>();
    Call* const call = owned.get();
    client.async()->Call(&call->context, &call->request, &call->response,
                         [running, owned = std::move(owned)](const grpc::Status& status) {
                           if (!status.ok()) std::abort();
                           running->answered();
                         });
  });
  running = &burst;
  burst.run(window);
}

std::unique_ptr<Echo::Stub> connect(const std::string& port) {
  return Echo::NewStub(grpc::CreateChannel("127.0.0.1:" + port, grpc::InsecureChannelCredentials()));
}

void latency(const std::string& port, int rounds) {
  const auto client = connect(port);
  const Text request = message();
  agentd::bench::Times times;
  for (int i = 0; i < rounds; ++i) {
    times.measure([&] {
      grpc::ClientContext context;
      Text response;
      if (!client->Call(&context, request, &response).ok()) std::abort();
    });
  }
  times.print();
}

void rate(const std::string& port, int count, int window) {
  const auto client = connect(port);
  run_burst(*client, window, window);  // The connection is made.
  const auto start = Clock::now();
  run_burst(*client, count, window);
  agentd::bench::print_rate(count, start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve") return serve();
  if (what == "latency" && argc > 3) return latency(argv[2], std::atoi(argv[3])), 0;
  if (what == "rate" && argc > 4) return rate(argv[2], std::atoi(argv[3]), std::atoi(argv[4])), 0;
  std::fprintf(stderr, "grpc_echo: serve | latency PORT ROUNDS | rate PORT COUNT WINDOW\n");
  return 64;
}
