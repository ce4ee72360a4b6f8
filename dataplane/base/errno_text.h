#ifndef PORTICO_DATAPLANE_BASE_ERRNO_TEXT_H_
#define PORTICO_DATAPLANE_BASE_ERRNO_TEXT_H_

#include <string>

namespace portico::base {

// An errno value in the words of our messages: "connection refused", "address in use". From any thread.
std::string ErrnoText(int error);

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_ERRNO_TEXT_H_
