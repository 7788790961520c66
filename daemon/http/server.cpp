#include "daemon/http/server.hpp"

#include <algorithm>
#include <optional>
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
  Impl(async::Loop& loop, rpc::Dispatcher& dispatcher, ServerSettings settings)
      : settings_(std::move(settings)),
        acceptor_(loop.context()),
        pause_(*this),
        all_(loop, dispatcher, settings_.limits, Policy({})) {}

  Result<void> listen() {
    boost::system::error_code fault;
    const auto found =
        Tcp::resolver(all_.loop.context())
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
    all_.policy.set_token(token);
  }

  void stop_accepting() {
    settings_.port = listening().port;
    pause_.cancel();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

  Connections& all() { return all_; }

private:
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
    all_.policy = Policy({.listening = listening(),
                          .advertised = advertised,
                          .allowed_hosts = settings_.allowed_hosts,
                          .allowed_origins = settings_.allowed_origins,
                          .token = settings_.token});
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
    all_.loop.start(pause_, std::chrono::steady_clock::now() + settings_.limits.accept_pause,
                    [](async::Timer& timer) { OwnedTimer<Impl>::owner_of(timer).accept_next(); });
  }

  void greet(Tcp::socket socket) {
    ++all_.counters.accepted;
    const std::size_t open = all_.count();
    const bool too_many = open >= settings_.limits.connections;
    if (too_many) ++all_.counters.turned_away;
    if (open >= settings_.limits.connections + max_turned_away) return;
    boost::system::error_code fault;
    socket.non_blocking(true, fault);
    if (!fault) socket.set_option(Tcp::no_delay(true), fault);
    if (fault) return;
    const auto connection = std::make_shared<HttpConnection>(all_, std::move(socket));
    all_.add(connection);
    too_many ? connection->turn_away() : connection->start();
  }

  ServerSettings settings_;
  Tcp::acceptor acceptor_;
  OwnedTimer<Impl> pause_;
  Connections all_;
};

Server::Server(async::Loop& loop, rpc::Dispatcher& dispatcher, ServerSettings settings)
    : impl_(std::make_shared<Impl>(loop, dispatcher, std::move(settings))) {}
Server::~Server() = default;

Result<void> Server::listen() { return impl_->listen(); }
NodeAddress Server::listening() const { return impl_->listening(); }
void Server::set_token(const std::string& token) { impl_->set_token(token); }
void Server::stop_accepting() { impl_->stop_accepting(); }
void Server::close_all() {
  impl_->stop_accepting();
  impl_->all().close_all();
}
std::size_t Server::connections() const { return impl_->all().count(); }
const ServerCounters& Server::counters() const { return impl_->all().counters; }

}  // namespace agentd::http
