#include <set>
#include <string>

#include "api/portico/v1/resource.pb.h"
#include "api/wire/names.h"
#include "api/wire/set_digest.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace portico::wire {
namespace {

TEST(WireNamesTest, EveryKindTravelsButThoseOfTheControlPlane) {
  std::set<std::string> types(ResourceTypes().begin(), ResourceTypes().end());
  const google::protobuf::OneofDescriptor* kinds = portico::v1::Resource::descriptor()->oneof_decl(0);
  const std::set<std::string> stay = {"role", "token"};
  EXPECT_EQ(types.size() + stay.size(), static_cast<size_t>(kinds->field_count()));
  for (int i = 0; i < kinds->field_count(); ++i) {
    EXPECT_EQ(types.count("type.googleapis.com/" + kinds->field(i)->message_type()->full_name()),
              stay.contains(kinds->field(i)->name()) ? 0u : 1u)
        << kinds->field(i)->name();
  }
}

TEST(WireNamesTest, NamesGoThereAndBack) {
  const check::ResourceKey key{"Route", "team-a", "shop.example"};
  EXPECT_EQ(ResourceName(key), "team-a/shop.example");
  EXPECT_EQ(KeyOf(TypeUrl("Route"), ResourceName(key)), key);
  for (const char* name : {"", "/", "a/", "/a", "a", "a/b/c"})
    EXPECT_EQ(KeyOf(TypeUrl("Route"), name), std::nullopt) << name;
  for (const std::string& type :
       {std::string(kRevisionType), TypeUrl("Nothing"), std::string("Route"), std::string()}) {
    EXPECT_EQ(KeyOf(type, "a/b"), std::nullopt) << type;
  }
}

TEST(SetDigestTest, ItIsTheSumOfWhatIsThere) {
  const std::string one = std::string(15, '\0') + "\x01", top = std::string(16, '\xff'),
                    half = "\x80" + std::string(15, '\0');
  SetDigest digest;
  EXPECT_EQ(digest.ToString(), "00000000000000000000000000000000");
  digest.Add(one);
  digest.Add(half + "more of the hash");
  EXPECT_EQ(digest.ToString(), "80000000000000000000000000000001");
  digest.Add(half);  // over the top
  EXPECT_EQ(digest.ToString(), "00000000000000000000000000000001");
  digest.Add(top);
  EXPECT_EQ(digest.ToString(), "00000000000000000000000000000000");
  digest.Remove(one);
  EXPECT_EQ(digest.ToString(), "ffffffffffffffffffffffffffffffff");
}

TEST(SetDigestTest, ThePartsAreParted) {
  EXPECT_NE(DigestInput("a", "bc", "d"), DigestInput("ab", "c", "d"));
  EXPECT_NE(DigestInput("a", "b", "cd"), DigestInput("a", "bc", "d"));
}

}  // namespace
}  // namespace portico::wire
