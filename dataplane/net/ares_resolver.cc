#include "dataplane/net/ares_resolver.h"

#include <ares.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "dataplane/event/fd_event.h"
#include "dataplane/event/timer.h"

namespace portico::net {
namespace {

struct FreeChannel {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
struct FreeAddresses {
  void operator()(struct ares_addrinfo* info) const { ares_freeaddrinfo(info); }
};

LookupOutcome OutcomeOf(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return LookupOutcome::kAnswered;
    case ARES_ENODATA:
      return LookupOutcome::kNoAddress;
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
      return LookupOutcome::kNoSuchName;
    case ARES_ETIMEOUT:
      return LookupOutcome::kTimeout;
    case ARES_EBADRESP:
      return LookupOutcome::kMalformed;
    default:  // where every server fails c-ares says that the last connection was refused
      return LookupOutcome::kServerFailure;
  }
}

// To connect to 0.0.0.0 is to connect to this host: what a server says instead of "blocked" must not lead here.
bool IsUnspecified(const Address& address) {
  return std::ranges::all_of(address.bytes(), [](char byte) { return byte == 0; });
}

// 169.254.0.0/16, fe80::/10, and multicast. No origin server is known by one, and the first has what tells a cloud's
// machine its credentials: whoever writes the zone must not lead there.
bool IsLinkLocalOrMulticast(const Address& address) {
  const auto byte = [&address](size_t i) { return static_cast<unsigned char>(address.bytes()[i]); };
  if (address.is_v6()) return byte(0) == 0xff || (byte(0) == 0xfe && (byte(1) & 0xc0) == 0x80);
  return (byte(0) == 169 && byte(1) == 254) || (byte(0) & 0xf0) == 0xe0;
}

// Always this host, whatever a file or server says (RFC 6761 section 6.3). c-ares knows it too, and leaks with it.
bool IsLocalhost(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name == "localhost" || name.ends_with(".localhost");
}

Resolution Loopback(int family) {
  return {
      LookupOutcome::kAnswered, {*Address::Parse(family == AF_INET ? "127.0.0.1" : "::1", 0)}, std::chrono::hours(24)};
}

// Whether the hosts file has an address of that family for the name.
bool IsInHostsFile(ares_channel channel, const std::string& name, int family) {
  struct hostent* found = nullptr;
  if (ares_gethostbyname_file(channel, name.c_str(), family, &found) != ARES_SUCCESS) return false;
  ares_free_hostent(found);
  return true;
}

// The names on the way (CNAME) hold no longer than they say either. Records that nobody asked for count for nothing.
// `hosts_ttl`: the answer is the hosts file's, which whoever has this machine writes; nullopt: a server's.
Resolution Read(const struct ares_addrinfo& info, int family, std::optional<base::Duration> hosts_ttl) {
  Resolution resolution{LookupOutcome::kNoAddress, {}, {}};
  int ttl_s = INT32_MAX;
  for (const struct ares_addrinfo_cname* cname = info.cnames; cname != nullptr; cname = cname->next)
    ttl_s = std::min(ttl_s, cname->ttl);
  for (const struct ares_addrinfo_node* node = info.nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family != family) continue;
    const Address address = Address::FromSocketAddress(node->ai_addr).WithPort(0);
    if (IsUnspecified(address) || (!hosts_ttl && IsLinkLocalOrMulticast(address))) continue;
    resolution.addresses.push_back(address);
    ttl_s = std::min(ttl_s, node->ai_ttl);
  }
  if (resolution.addresses.empty()) return resolution;
  resolution.outcome = LookupOutcome::kAnswered;
  resolution.ttl = hosts_ttl.value_or(std::chrono::seconds(std::max(ttl_s, 0)));
  return resolution;
}

// The handler is called by the timer alone: a descriptor's event must not be destroyed inside its own callback, and
// c-ares calls back from everywhere.
class AresLookup final : public Resolver::Lookup, private event::Timer::Handler {
 public:
  AresLookup(event::LibeventLoop& loop, const AresLimits& limits, Family family, Resolver::Handler& handler)
      : loop_(loop),
        handler_(handler),
        family_(family == Family::kV4 ? AF_INET : AF_INET6),
        timer_(loop.timers(), *this),
        deadline_(loop.Now() + limits.lookup_timeout) {}

  void Start(const std::string& servers, const AresLimits& limits, const std::string& name) {
    if (IsLocalhost(name)) {
      result_ = Loopback(family_);
    } else if (!Open(servers, limits)) {
      result_.emplace();
    } else if (IsInHostsFile(channel_.get(), name, family_)) {
      hosts_ttl_ = limits.hosts_ttl;
      Ask(name);
    } else if (IsInHostsFile(channel_.get(), name, family_ == AF_INET ? AF_INET6 : AF_INET)) {
      result_ = Resolution{LookupOutcome::kNoAddress, {}, {}};
    } else {
      Ask(name);
    }
    Arm();
  }

 private:
  struct Socket final : event::FdEvent::Handler {
    explicit Socket(AresLookup& its_owner) : owner(its_owner), event(its_owner.loop_, *this) {}
    void OnFdEvent(event::FdReadiness ready) override { owner.Process(fd, ready); }

    AresLookup& owner;
    int fd = ARES_SOCKET_BAD;  // none: it may be used again
    event::FdEvent event;
  };

  void Ask(const std::string& name) {
    struct ares_addrinfo_hints hints{};
    hints.ai_family = family_;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel_.get(), name.c_str(), nullptr, &hints, &AresLookup::OnAnswer, this);
  }

  bool Open(const std::string& servers, const AresLimits& limits) {
    char lookups[] = "fb";  // the hosts file, then DNS
    struct ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    options.timeout =
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(limits.answer_timeout).count());
    options.tries = limits.tries;
    options.lookups = lookups;
    options.sock_state_cb = &AresLookup::OnSocketState;
    options.sock_state_cb_data = this;
    ares_channel channel = nullptr;
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS |
                     ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&channel, &options, mask) != ARES_SUCCESS) return false;
    channel_.reset(channel);
    return servers.empty() || ares_set_servers_ports_csv(channel, servers.c_str()) == ARES_SUCCESS;
  }

  static void OnAnswer(void* self, int status, int /*timeouts*/, struct ares_addrinfo* info) {
    const std::unique_ptr<struct ares_addrinfo, FreeAddresses> owned(info);
    auto& lookup = *static_cast<AresLookup*>(self);
    if (status == ARES_EDESTRUCTION || lookup.result_) return;
    lookup.result_ = status == ARES_SUCCESS && info != nullptr ? Read(*info, lookup.family_, lookup.hosts_ttl_)
                                                               : Resolution{OutcomeOf(status), {}, {}};
  }

  // It closes the descriptor only after it has said that it wants nothing of it.
  static void OnSocketState(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<AresLookup*>(self)->Watch(fd, readable != 0 || writable != 0, writable != 0);
  }

  void Watch(int fd, bool wanted, bool writable) {
    auto socket = std::ranges::find_if(sockets_, [fd](const auto& one) { return one->fd == fd; });
    if (!wanted) {
      if (socket == sockets_.end()) return;
      (*socket)->event.Unwatch();
      (*socket)->fd = ARES_SOCKET_BAD;
      return;
    }
    if (socket == sockets_.end()) {
      socket = std::ranges::find_if(sockets_, [](const auto& one) { return one->fd == ARES_SOCKET_BAD; });
    }
    if (socket == sockets_.end()) socket = sockets_.insert(socket, std::make_unique<Socket>(*this));
    (*socket)->fd = fd;
    using Interest = event::FdEvent::Interest;
    if ((*socket)->event.Watch(fd, writable ? Interest::kReadableOrWritable : Interest::kReadable)) return;
    if (!result_) result_.emplace();
  }

  void Process(int fd, event::FdReadiness ready) {
    ares_process_fd(channel_.get(), ready.readable ? fd : ARES_SOCKET_BAD, ready.writable ? fd : ARES_SOCKET_BAD);
    Arm();
  }

  void Arm() {
    base::MonotonicTime next = result_ ? loop_.Now() : deadline_;
    struct timeval left{};
    if (!result_ && ares_timeout(channel_.get(), nullptr, &left) != nullptr) {
      next = std::min<base::MonotonicTime>(
          next, loop_.Now() + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
    }
    timer_.Set(next);
  }

  void OnTimer(event::Timer&) override {
    if (!result_) ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (!result_ && loop_.Now() < deadline_) return Arm();
    if (!result_) result_ = Resolution{LookupOutcome::kTimeout, {}, {}};
    channel_.reset();
    // Last: it may destroy this.
    handler_.OnResolved(*std::move(result_));
  }

  event::LibeventLoop& loop_;
  Resolver::Handler& handler_;
  const int family_;
  event::Timer timer_;
  const base::MonotonicTime deadline_;
  std::optional<base::Duration> hosts_ttl_;       // the hosts file has the name: its answers hold so long
  std::optional<Resolution> result_;              // to be told
  std::vector<std::unique_ptr<Socket>> sockets_;  // outlives the channel, which closes them
  std::unique_ptr<struct ares_channeldata, FreeChannel> channel_;
};

std::string CommaSeparated(const std::vector<Address>& servers) {
  std::string text;
  for (const Address& server : servers)
    text += (text.empty() ? "" : ",") + server.ToString();
  return text;
}

}  // namespace

AresResolver::AresResolver(event::LibeventLoop& loop, const std::vector<Address>& servers, const AresLimits& limits)
    : loop_(loop), servers_(CommaSeparated(servers)), limits_(limits) {}

std::unique_ptr<Resolver::Lookup> AresResolver::Resolve(std::string_view name, Family family, Handler& handler) {
  auto lookup = std::make_unique<AresLookup>(loop_, limits_, family, handler);
  lookup->Start(servers_, limits_, std::string(name));
  return lookup;
}

}  // namespace portico::net
