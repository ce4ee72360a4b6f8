#ifndef PORTICO_TOOLS_CTL_COMMENTS_H_
#define PORTICO_TOOLS_CTL_COMMENTS_H_

#include <map>
#include <string>

namespace portico::ctl {

// The comments of api/portico/v1 as the build found them, by full name ("portico.v1.Route",
// "portico.v1.RouteRule.name", "portico.v1.LISTENER_PROTOCOL_HTTP"), each with its lines as they stand in the file, and
// what stands at the top of a file by the file's name. What has none is left out.
std::map<std::string, std::string> ApiComments();

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_COMMENTS_H_
