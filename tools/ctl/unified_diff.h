#ifndef PORTICO_TOOLS_CTL_UNIFIED_DIFF_H_
#define PORTICO_TOOLS_CTL_UNIFIED_DIFF_H_

#include <string>
#include <string_view>

namespace portico::ctl {

// How one text becomes another, line by line, as POSIX diff -u writes its hunks ("@@ -1,4 +1,5 @@", then lines that
// begin with ' ', '-' or '+', three of context). Empty if they are equal. The fewest changed lines, unless what differs
// is more than some thousands of lines on both sides: then it is replaced whole. Every text ends with a line feed or is
// empty.
std::string UnifiedDiff(std::string_view before, std::string_view after);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_UNIFIED_DIFF_H_
