#ifndef PORTICO_DATAPLANE_FILTER_PROBLEM_H_
#define PORTICO_DATAPLANE_FILTER_PROBLEM_H_

#include <string_view>

#include "dataplane/filter/reply.h"

namespace portico::filter {

// A refusal as a problem document (RFC 9457): type about:blank, so `title` is the status's phrase (section 4.2.1), and
// `detail` is for the client's people: nothing secret, no name out of the configuration. It is not to be stored
// (cache-control: no-store). `status` is 400 to 599.
Reply ProblemReply(int status, std::string_view detail);

}  // namespace portico::filter

#endif  // PORTICO_DATAPLANE_FILTER_PROBLEM_H_
