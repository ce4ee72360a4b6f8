#include "controlplane/xds/subscription.h"

#include <memory>
#include <string>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::xds {
namespace {

// A script of one subscription: requests, changes, and what is sent.
class SubscriptionTest : public testing::Test {
 protected:
  void Set(const std::string& name, const std::string& version) {
    items_[name] = {version, std::make_shared<const std::string>(name + "@" + version)};
    subscription_.OnChange(name);
  }
  void Remove(const std::string& name) {
    items_.erase(name);
    subscription_.OnChange(name);
  }
  void First(std::vector<std::string> subscribe, std::map<std::string, std::string> has = {}) {
    subscription_.OnRequest({true, std::move(subscribe), {}, std::move(has)}, items_);
  }
  void Subscribe(const std::string& name) { subscription_.OnRequest({false, {name}, {}, {}}, items_); }
  void Unsubscribe(const std::string& name) { subscription_.OnRequest({false, {}, {name}, {}}, items_); }
  void Ack() { subscription_.OnRequest({false, {}, {}, {}}, items_); }

  // "a@1 b@1 -c": what is sent and what is removed. "nothing": an answer without either. "": no answer.
  std::string Next(size_t bytes_max = 1000) {
    const Subscription::Response response = subscription_.Next(items_, bytes_max);
    std::string text;
    for (const auto& field : response.fields)
      text += base::Concat(text.empty() ? "" : " ", *field);
    for (const std::string& name : response.removed)
      text += base::Concat(text.empty() ? "-" : " -", name);
    return text.empty() && response.send ? "nothing" : text;
  }

  Subscription::Items items_;
  Subscription subscription_;
};

TEST_F(SubscriptionTest, AWildcardGetsAllAndThenWhatChanges) {
  Set("a", "1");
  Set("b", "1");
  First({});
  EXPECT_EQ(Next(), "a@1 b@1");
  EXPECT_EQ(Next(), "");
  Ack();
  EXPECT_EQ(Next(), "");
  Set("b", "2");
  Set("c", "2");
  Remove("a");
  EXPECT_EQ(Next(), "b@2 c@2 -a");
  EXPECT_EQ(Next(), "");
}

TEST_F(SubscriptionTest, AWildcardWithNothingIsAnswered) {
  First({});
  EXPECT_EQ(Next(), "nothing");
  EXPECT_EQ(Next(), "");
}

TEST_F(SubscriptionTest, AStarIsAWildcardToo) {
  Set("a", "1");
  First({"*"});
  EXPECT_EQ(Next(), "a@1");
  Unsubscribe("*");
  Set("a", "2");
  EXPECT_EQ(Next(), "");
}

TEST_F(SubscriptionTest, NamesGetWhatTheyName) {
  Set("a", "1");
  Set("b", "1");
  First({"a", "missing"});
  EXPECT_EQ(Next(), "a@1 -missing");
  Set("b", "2");
  EXPECT_EQ(Next(), "");
  Set("missing", "2");  // it was remembered
  EXPECT_EQ(Next(), "missing@2");
  Unsubscribe("a");
  Set("a", "3");
  EXPECT_EQ(Next(), "");
}

TEST_F(SubscriptionTest, AskingAgainIsAnsweredAgain) {
  Set("a", "1");
  First({"a"});
  EXPECT_EQ(Next(), "a@1");
  Subscribe("a");
  EXPECT_EQ(Next(), "a@1");
  Subscribe("missing");
  EXPECT_EQ(Next(), "-missing");
  Subscribe("missing");
  EXPECT_EQ(Next(), "-missing");
  Remove("missing");  // told already
  EXPECT_EQ(Next(), "");
}

TEST_F(SubscriptionTest, SubscribeComesBeforeUnsubscribe) {
  Set("a", "1");
  First({"b"});
  Next();
  subscription_.OnRequest({false, {"a"}, {"a"}, {}}, items_);
  EXPECT_EQ(Next(), "");
}

TEST_F(SubscriptionTest, UnderAWildcardAnUnsubscribedNameIsSentAgain) {
  Set("a", "1");
  First({"*", "a"});
  EXPECT_EQ(Next(), "a@1");
  Unsubscribe("a");
  EXPECT_EQ(Next(), "a@1");
}

TEST_F(SubscriptionTest, WhoComesBackGetsTheDifference) {
  Set("same", "1");
  Set("newer", "2");
  Set("new", "2");
  First({}, {{"same", "1"}, {"newer", "1"}, {"gone", "1"}});
  EXPECT_EQ(Next(), "new@2 newer@2 -gone");
}

TEST_F(SubscriptionTest, WhoComesBackToTheSameGetsAnEmptyAnswer) {
  Set("a", "1");
  First({}, {{"a", "1"}});
  EXPECT_EQ(Next(), "nothing");
}

TEST_F(SubscriptionTest, WhoComesBackForNamesGetsTheDifference) {
  Set("a", "1");
  Set("b", "2");
  First({"a", "b", "gone"}, {{"a", "1"}, {"b", "1"}, {"gone", "1"}, {"dropped", "1"}});
  EXPECT_EQ(Next(), "b@2 -gone");
}

TEST_F(SubscriptionTest, OnlyTheNewestVersionIsSent) {
  First({});
  Next();
  Set("a", "1");
  Set("a", "2");
  Set("b", "2");
  Remove("b");
  EXPECT_EQ(Next(), "a@2");
}

TEST_F(SubscriptionTest, ALargeAnswerComesInPieces) {
  for (const char* name : {"a", "b", "c", "d"})
    Set(name, "1");
  First({});
  EXPECT_EQ(Next(6), "a@1 b@1");
  Set("a", "2");
  EXPECT_TRUE(subscription_.owes());
  EXPECT_EQ(Next(2), "a@2");
  EXPECT_EQ(Next(6), "c@1 d@1");
  EXPECT_FALSE(subscription_.owes());
  for (const char* name : {"a", "b", "c", "d"})
    Remove(name);
  EXPECT_EQ(Next(2), "-a -b");
  EXPECT_EQ(Next(2), "-c -d");
}

TEST_F(SubscriptionTest, ANameThatCameAndWentIsNotTold) {
  First({});
  Next();
  Set("a", "1");
  Remove("a");
  EXPECT_EQ(Next(), "");
}

}  // namespace
}  // namespace portico::xds
