#include "dataplane/snapshot/certificate_names.h"

#include <string>
#include <vector>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::snapshot {
namespace {

TEST(OfferCertificates, Rows) {
  const struct {
    const char* name;
    std::vector<ListenerCertificates> listeners;
    std::string want;  // listener.certificate=names; the first is for everybody else
  } kRows[] = {
      {"none", {}, ""},
      {"any host: the certificate's own names", {{"", {{"a.example", "*.a.example"}}}}, "0.0=a.example,*.a.example;"},
      {"any host, several", {{"", {{"a.example"}, {"b.example"}}}}, "0.0=a.example;0.1=b.example;"},
      {"two for one name: the first one",
       {{"", {{"a.example"}, {"a.example", "b.example"}}}},
       "0.0=a.example;0.1=b.example;"},
      {"one that is never shown is left out", {{"", {{"a.example"}, {"a.example"}}}}, "0.0=a.example;"},
      {"no names: for everybody else", {{"", {{}, {"a.example"}}}}, "0.0=invalid;0.1=a.example;"},
      {"a hostname: that alone", {{"a.example", {{"a.example", "b.example"}}}}, "0.0=a.example;"},
      {"a hostname, and a certificate for others", {{"a.example", {{"b.example"}}}}, "0.0=a.example;"},
      {"a hostname: the certificate that names it",
       {{"a.example", {{"b.example"}, {"a.example"}}}},
       "0.0=invalid;0.1=a.example;"},
      {"a hostname: the certificate with its wildcard",
       {{"a.b.example", {{"b.example"}, {"*.b.example"}}}},
       "0.0=invalid;0.1=a.b.example;"},
      {"a wildcard is one label", {{"x.a.b.example", {{"c.example"}, {"*.b.example"}}}}, "0.0=x.a.b.example;"},
      {"a wildcard hostname: names below it",
       {{"*.b.example", {{"*.b.example"}, {"x.b.example", "b.example"}}}},
       "0.0=*.b.example;0.1=x.b.example;"},
      {"not the end of a label", {{"*.b.example", {{"x.ab.example"}}}}, "0.0=*.b.example;"},
      {"listeners with hostnames",
       {{"b.example", {{"b.example"}}}, {"a.example", {{"a.example"}}}},
       "0.0=b.example;1.0=a.example;"},
      {"the more specific listener has the name",
       {{"*.b.example", {{"a.b.example", "*.b.example"}}}, {"a.b.example", {{"*.b.example"}}}},
       "0.0=*.b.example;1.0=a.b.example;"},
      {"also a name that its certificate does not have",
       {{"", {{"x.b.example", "c.example"}}}, {"*.b.example", {{"*.b.example"}}}},
       "0.0=c.example;1.0=*.b.example;"},
      {"the longer wildcard",
       {{"*.example", {{"*.b.example"}}}, {"*.b.example", {{"d.example"}}}},
       "0.0=*.example;1.0=*.b.example;"},
      {"everybody else gets the listener for any host",
       {{"a.example", {{"a.example"}}}, {"", {{"a.example"}, {"c.example"}}}},
       "1.0=invalid;0.0=a.example;1.1=c.example;"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    std::string got;
    for (const CertificateOffer& offer : OfferCertificates(row.listeners)) {
      got += base::Concat(offer.listener, ".", offer.certificate, "=", base::Join(offer.names, ","), ";");
    }
    EXPECT_EQ(got, row.want);
  }
}

}  // namespace
}  // namespace portico::snapshot
