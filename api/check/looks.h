#ifndef PORTICO_API_CHECK_LOOKS_H_
#define PORTICO_API_CHECK_LOOKS_H_

#include "api/portico/v1/resource.pb.h"

namespace portico::check {

// Whether all who refer to a resource see the same in two versions of it, so that what is judged or resolved of them
// stays as it is: that it is there, the ports of a Cluster, what a Secret holds. nullptr: it is not there. "No" may be
// said of what does look the same.
bool LooksTheSame(const portico::v1::Resource* before, const portico::v1::Resource* after);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_LOOKS_H_
