#ifndef PORTICO_API_CHECK_RESOURCE_PATH_MATCH_H_
#define PORTICO_API_CHECK_RESOURCE_PATH_MATCH_H_

#include <string>

#include "api/check/resource/report.h"
#include "api/portico/v1/route.pb.h"

namespace portico::check {

// The value of a path match: a path in its one spelling, or an RE2 expression. `path` is the match's own.
void CheckPathMatch(const portico::v1::PathMatch& match, const std::string& path, Report& report);

// A path in its one spelling. `field` is its own.
void CheckPath(const std::string& value, const std::string& field, Report& report);

// An expression that RE2 compiles within the data plane's memory.
void CheckRegex(const std::string& text, std::string path, Report& report);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_PATH_MATCH_H_
