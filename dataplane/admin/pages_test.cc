#include "dataplane/admin/pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace portico::admin {
namespace {

constexpr Access kOwn = {Pages::kAll, false, true};        // --admin_address on loopback
constexpr Access kRemote = {Pages::kAll, true, false};     // --admin_address elsewhere
constexpr Access kProbes = {Pages::kProbes, true, false};  // --probe_address

std::string_view Field(const filter::Reply& reply, std::string_view name) {
  for (const auto& [field, value] : reply.fields)
    if (field == name) return value;
  return {};
}

TEST(Pages, GivesThePageThatIsAskedFor) {
  struct Case {
    std::string_view method, target;
    const Access& access;
    Page page;
  };
  const Case cases[] = {
      {"GET", "/", kOwn, Page::kIndex},
      {"HEAD", "/", kProbes, Page::kIndex},
      {"GET", "/ready", kOwn, Page::kReady},
      {"HEAD", "/ready", kProbes, Page::kReady},
      {"GET", "/live", kProbes, Page::kLive},
      {"GET", "/metrics", kProbes, Page::kMetrics},
      {"GET", "/metrics?collect[]=x", kProbes, Page::kMetrics},
      {"GET", "/ready?", kRemote, Page::kReady},
      {"GET", "/snapshot", kOwn, Page::kSnapshot},
      {"GET", "/snapshot", kRemote, Page::kSnapshot},
      {"GET", "/clusters", kRemote, Page::kClusters},
      {"GET", "/log_level", kRemote, Page::kLogLevel},
      {"GET", "/log_level?level=debug", kOwn, Page::kLogLevel},  // shows, changes nothing
      {"HEAD", "/log_level?level=debug", kOwn, Page::kLogLevel},
  };
  for (const Case& test : cases) {
    const auto decision = Decide(test.method, "127.0.0.1:9903", test.target, test.access);
    const auto* request = std::get_if<PageRequest>(&decision);
    ASSERT_NE(request, nullptr) << test.method << ' ' << test.target;
    EXPECT_EQ(request->page, test.page) << test.target;
    EXPECT_FALSE(request->set_log_level.has_value()) << test.target;
  }
}

TEST(Pages, RefusesTheRest) {
  struct Case {
    std::string_view method, target;
    const Access& access;
    int status;
    std::string_view allow;
  };
  const Case cases[] = {
      {"GET", "/nowhere", kOwn, 404, ""},
      {"GET", "/ready/", kOwn, 404, ""},
      {"GET", "/Ready", kOwn, 404, ""},
      {"GET", "/%72eady", kOwn, 404, ""},
      {"GET", "//ready", kOwn, 404, ""},
      {"GET", "/snapshot/../ready", kOwn, 404, ""},
      {"GET", "", kOwn, 404, ""},
      {"OPTIONS", "*", kOwn, 404, ""},
      {"GET", "/snapshot", kProbes, 404, ""},
      {"GET", "/clusters", kProbes, 404, ""},
      {"GET", "/log_level", kProbes, 404, ""},
      {"PUT", "/log_level?level=debug", kProbes, 404, ""},
      {"POST", "/ready", kOwn, 405, "GET, HEAD"},
      {"PUT", "/ready", kOwn, 405, "GET, HEAD"},
      {"get", "/ready", kOwn, 405, "GET, HEAD"},
      {"OPTIONS", "/ready", kOwn, 405, "GET, HEAD"},
      {"DELETE", "/log_level", kOwn, 405, "GET, HEAD, PUT"},
      {"POST", "/log_level?level=debug", kOwn, 405, "GET, HEAD, PUT"},
      {"PUT", "/log_level?level=debug", kRemote, 403, ""},
      {"PUT", "/log_level", kRemote, 403, ""},
      {"PUT", "/log_level", kOwn, 400, ""},
      {"PUT", "/log_level?", kOwn, 400, ""},
      {"PUT", "/log_level?level=", kOwn, 400, ""},
      {"PUT", "/log_level?level=loud", kOwn, 400, ""},
      {"PUT", "/log_level?level=Debug", kOwn, 400, ""},
      {"PUT", "/log_level?level=debug&x=1", kOwn, 400, ""},
      {"PUT", "/log_level?debug", kOwn, 400, ""},
  };
  for (const Case& test : cases) {
    const auto decision = Decide(test.method, "127.0.0.1:9903", test.target, test.access);
    const auto* reply = std::get_if<filter::Reply>(&decision);
    ASSERT_NE(reply, nullptr) << test.method << ' ' << test.target;
    EXPECT_EQ(reply->status, test.status) << test.method << ' ' << test.target;
    EXPECT_EQ(Field(*reply, "allow"), test.allow) << test.target;
    EXPECT_EQ(Field(*reply, "cache-control"), "no-store");
    EXPECT_EQ(Field(*reply, "content-type"), "text/plain; charset=utf-8");
    EXPECT_TRUE(reply->content.ends_with('\n')) << test.target;
    // Nothing of the request comes back.
    EXPECT_EQ(reply->content.find("nowhere"), std::string::npos);
  }
}

TEST(Pages, ChangesTheLogLevelOnlyWhereItMay) {
  using observe::Severity;
  struct Case {
    std::string_view target;
    Severity level;
  };
  const Case cases[] = {{"/log_level?level=error", Severity::kError},
                        {"/log_level?level=warning", Severity::kWarning},
                        {"/log_level?level=info", Severity::kInfo},
                        {"/log_level?level=debug", Severity::kDebug}};
  for (const Case& test : cases) {
    const auto decision = Decide("PUT", "localhost:9903", test.target, kOwn);
    const auto* request = std::get_if<PageRequest>(&decision);
    ASSERT_NE(request, nullptr) << test.target;
    EXPECT_EQ(request->set_log_level, test.level) << test.target;
  }
}

// A web page under a name that was made to mean 127.0.0.1 is of the same origin as what it reads.
TEST(Pages, OnLoopbackTheHostIsNoName) {
  struct Case {
    std::string_view authority;
    bool ok;
  };
  const Case cases[] = {
      {"127.0.0.1", true},
      {"127.0.0.1:9903", true},
      {"[::1]", true},
      {"[::1]:9903", true},
      {"localhost", true},
      {"localhost:9903", true},
      {"shop.localhost", true},
      {"", true},
      {"10.0.0.1:9903", true},
      {"evil.example", false},
      {"evil.example:9903", false},
      {"localhost.evil.example", false},
      {"evillocalhost", false},
      {"127.0.0.1.evil", false},
      {"localhost.", false},
      {"2130706433", false},
      {"0x7f.1:9903", false},
      {"127.1", false},
      {"127.0.0.1:x.evil", false},
  };
  for (const Case& test : cases) {
    const auto own = Decide("GET", test.authority, "/snapshot", kOwn);
    EXPECT_EQ(std::holds_alternative<PageRequest>(own), test.ok) << test.authority;
    if (const auto* refusal = std::get_if<filter::Reply>(&own)) EXPECT_EQ(refusal->status, 403) << test.authority;
    EXPECT_TRUE(std::holds_alternative<PageRequest>(Decide("GET", test.authority, "/metrics", kProbes)));
  }
}

TEST(Pages, TheIndexSaysWhatThereIs) {
  struct Case {
    std::string_view name;
    const Access& access;
    std::ptrdiff_t lines;
    bool shows_put;
  };
  const Case cases[] = {{"own", kOwn, 7, true}, {"remote", kRemote, 7, false}, {"probes", kProbes, 4, false}};
  for (const Case& test : cases) {
    const std::string text = IndexText(test.access);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), test.lines) << test.name;
    EXPECT_EQ(text.find("PUT") != std::string::npos, test.shows_put) << test.name;
    const auto refusal = Decide("GET", "127.0.0.1", "/x", test.access);
    EXPECT_NE(std::get<filter::Reply>(refusal).content.find(text), std::string::npos) << test.name;
  }
}

}  // namespace
}  // namespace portico::admin
