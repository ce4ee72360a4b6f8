#include <fstream>
#include <string>

#include "api/base/text.h"
#include "api/jq/oracle.h"
#include "gtest/gtest.h"

// Every row of the corpus by the jq 1.6 binary and by ours. A third column says what ours gives where it deviates; it
// must then really differ from jq, so that the list of deviations stays true.

namespace portico::jq {
namespace {

TEST(Comparison, Corpus) {
  std::ifstream file("test/corpus/jq/rows.tsv");
  ASSERT_TRUE(file.good());
  size_t rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string_view> columns = base::Split(line, '\t');
    ASSERT_GE(columns.size(), 2u) << line;
    SCOPED_TRACE(line);
    ++rows;
    const std::string program(columns[0]);
    const std::string input(columns[1]);
    const Answer ours = AskOurs(program, input);
    const std::string jq = AskJq(program, input).Text();
    if (columns.size() == 2) {
      EXPECT_EQ(ours.Text(), jq) << ours.error;
    } else {
      EXPECT_EQ(ours.Text(), columns[2]) << ours.error;
      EXPECT_NE(ours.Text(), jq) << "no deviation any more";
    }
  }
  EXPECT_GT(rows, 250u);
}

}  // namespace
}  // namespace portico::jq
