#ifndef PORTICO_DATAPLANE_CRYPTO_BORING_ERROR_H_
#define PORTICO_DATAPLANE_CRYPTO_BORING_ERROR_H_

#include <string>

namespace portico::crypto {

// Empties BoringSSL's error queue of this thread and gives the first reason in words ("WRONG_VERSION_NUMBER"), or
// `otherwise` if there is none. Whoever calls BoringSSL and sees it fail must empty the queue, or the next caller finds
// a stranger's error.
std::string TakeBoringError(const char* otherwise);

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_BORING_ERROR_H_
