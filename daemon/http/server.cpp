#include "daemon/http/server.hpp"

#include <cassert>
#include <cstdint>
#include <memory>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include "daemon/http/connection.hpp"
#include "daemon/http/http_connection.hpp"

namespace agentd::http {

namespace {

using Tcp = boost::asio::ip::tcp;

/// Connections beyond the bound that are still told so; more are closed without a word.
constexpr std::size_t max_turned_away = 64;

Error invalid_address(const std::string& host) {
  return {ErrorKind::invalid_params,
          "cannot listen on " + host + ": no such address; give an address of this machine"};
}

Error cannot_listen(const NodeAddress& address, const boost::system::error_code& fault) {
  Error error(ErrorKind::internal, "cannot listen on " + address.text() + ": " + fault.message());
  error.with("errno", fault.value());
  return error;
}

Error unsafe(const std::string& host) {
  return {ErrorKind::invalid_params, "listening on " + host +
                                         ", beyond loopback, needs a token (token_file); "
                                         "--insecure does without"};
}

Error nothing_to_advertise(const std::string& host) {
  return {ErrorKind::invalid_params, "listening on " + host +
                                         ", every address of this machine, needs the one that other nodes "
                                         "can reach: set advertise (--advertise HOST[:PORT])"};
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
public:
  Impl(async::Loops& loops, const std::vector<rpc::Dispatcher*>& dispatchers, ServerSettings settings)
      : settings_(std::move(settings)), loops_(loops), acceptor_(loops[0].context()), pause_(*this) {
    assert(dispatchers.size() == loops.count());
    for (std::size_t i = 0; i < loops.count(); ++i) {
      // What a loop needs to wait for sockets takes descriptors: while there are some.
      (void)Tcp::socket(loops[i].context());
      all_.push_back(std::make_unique<Connections>(loops, i, all_, *dispatchers[i], settings_.limits));
    }
  }

  Result<void> listen() {
    boost::system::error_code fault;
    const auto found =
        Tcp::resolver(loops_[0].context())
            .resolve(settings_.host, std::to_string(settings_.port), Tcp::resolver::passive, fault);
    if (fault || found.empty()) return invalid_address(settings_.host);
    const Tcp::endpoint endpoint = found.begin()->endpoint();
    if (!endpoint.address().is_loopback() && settings_.token.empty() && !settings_.insecure) {
      return unsafe(settings_.host);
    }
    // There are more ways to write it than a look at the name finds: 0x0 is one.
    if (endpoint.address().is_unspecified() && settings_.advertised.host.empty()) {
      return nothing_to_advertise(settings_.host);
    }
    open(endpoint, fault);
    if (fault) return cannot_listen({settings_.host, settings_.port}, fault);
    apply_policy();
    accept_next();
    return {};
  }

  [[nodiscard]] NodeAddress listening() const {
    return {settings_.host, acceptor_.is_open() ? acceptor_.local_endpoint().port() : settings_.port};
  }

  void set_token(const std::string& token) {
    settings_.token = token;
    at_each([token](Connections& there) { there.policy.set_token(token); });
  }

  void stop_accepting() {
    settings_.port = listening().port;
    pause_.cancel();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

  void close_all() {
    stop_accepting();
    at_each([](Connections& there) { there.close_all(); });
  }

  /// No fewer than there are, where the first loop asks.
  [[nodiscard]] std::size_t connections() const {
    std::uint64_t ended = 0;
    for (const auto& there : all_) ended += there->ended;
    // Elsewhere an end may be seen before its begin is.
    const std::uint64_t begun = begun_;
    return begun > ended ? begun - ended : 0;
  }

  [[nodiscard]] ServerCounters counters() const {
    ServerCounters sum;
    for (const auto& there : all_) sum.add(there->counters);
    return sum;
  }

private:
  /// Runs `work` on each loop, with its connections; those that were handed there before have arrived then.
  template <typename Work>
  void at_each(const Work& work) {
    work(*all_[0]);
    for (std::size_t i = 1; i < all_.size(); ++i) {
      loops_.hand_over(0, i, [work, &there = *all_[i]] { work(there); });
    }
  }

  void open(const Tcp::endpoint& endpoint, boost::system::error_code& fault) {
    if (acceptor_.open(endpoint.protocol(), fault); fault) return;
    if (acceptor_.set_option(Tcp::acceptor::reuse_address(true), fault); fault) return;
    if (acceptor_.bind(endpoint, fault); fault) return;
    acceptor_.listen(Tcp::acceptor::max_listen_connections, fault);
  }

  /// Only now is the port known.
  void apply_policy() {
    NodeAddress advertised = settings_.advertised;
    if (advertised.port == 0) advertised.port = listening().port;
    const Policy policy({.listening = listening(),
                         .advertised = advertised,
                         .allowed_hosts = settings_.allowed_hosts,
                         .allowed_origins = settings_.allowed_origins,
                         .token = settings_.token});
    at_each([policy](Connections& there) { there.policy = policy; });
  }

  void accept_next() {
    acceptor_.async_accept(
        [server = weak_from_this()](const boost::system::error_code& fault, Tcp::socket socket) {
          if (const auto self = server.lock()) self->accepted(fault, std::move(socket));
        });
  }

  void accepted(const boost::system::error_code& fault, Tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (fault) return pause();
    greet(std::move(socket));
    accept_next();
  }

  /// Without descriptors, accepting again at once would spin until somebody closes one.
  void pause() {
    loops_[0].start(pause_, std::chrono::steady_clock::now() + settings_.limits.accept_pause,
                    [](async::Timer& timer) { OwnedTimer<Impl>::owner_of(timer).accept_next(); });
  }

  void greet(Tcp::socket socket) {
    LoopCounters& counters = all_[0]->counters;
    ++counters.accepted;
    const std::size_t open = connections();
    const bool too_many = open >= settings_.limits.connections;
    if (too_many) ++counters.turned_away;
    if (open >= settings_.limits.connections + max_turned_away) return;
    boost::system::error_code fault;
    socket.non_blocking(true, fault);
    if (!fault) socket.set_option(Tcp::no_delay(true), fault);
    if (fault) return;
    ++begun_;
    const std::size_t to = std::exchange(next_, (next_ + 1) % all_.size());
    all_[0]->go_on_at(to, std::move(socket), [too_many](Connections& there, Tcp::socket arrived) {
      const auto connection = std::make_shared<HttpConnection>(there, std::move(arrived));
      there.add(connection);
      too_many ? connection->turn_away() : connection->start();
    });
  }

  ServerSettings settings_;
  async::Loops& loops_;
  Tcp::acceptor acceptor_;
  OwnedTimer<Impl> pause_;
  Connections::All all_;
  /// Connections so far, wherever they are now.
  async::OwnedCount begun_;
  /// The loop that the next one is given to.
  std::size_t next_ = 0;
};

Server::Server(async::Loops& loops, const std::vector<rpc::Dispatcher*>& dispatchers, ServerSettings settings)
    : impl_(std::make_shared<Impl>(loops, dispatchers, std::move(settings))) {}
Server::~Server() = default;

Result<void> Server::listen() { return impl_->listen(); }
NodeAddress Server::listening() const { return impl_->listening(); }
void Server::set_token(const std::string& token) { impl_->set_token(token); }
void Server::stop_accepting() { impl_->stop_accepting(); }
void Server::close_all() { impl_->close_all(); }
std::size_t Server::connections() const { return impl_->connections(); }
ServerCounters Server::counters() const { return impl_->counters(); }

}  // namespace agentd::http
