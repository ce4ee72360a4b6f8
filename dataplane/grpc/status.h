#ifndef PORTICO_DATAPLANE_GRPC_STATUS_H_
#define PORTICO_DATAPLANE_GRPC_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/call/error.h"
#include "dataplane/http/fields.h"

namespace portico::grpc {

// https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
enum class Code : uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "UNAVAILABLE".
std::string_view CodeName(Code code);

// How a call ended.
struct Status {
  Code code = Code::kOk;
  std::string message;  // UTF-8, at most kMessageBytesMax. The peer's words where it said any: escape them in a log

  bool ok() const { return code == Code::kOk; }
  // "UNAVAILABLE: no connection could be made".
  std::string ToString() const;
  bool operator==(const Status&) const = default;
};

inline constexpr size_t kMessageBytesMax = 1024;  // what a person reads; servers put whole stack traces there

// What a trailer section says, or the head of a response that is nothing but a head ("Trailers-Only"): grpc-status with
// grpc-message, or if there is none what the HTTP status stands for.
Status ReadStatus(const http::Fields& fields, int http_status);

// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md: for a response that did not come from gRPC
// at all (a proxy's, a load balancer's). Never kOk.
Code CodeOfHttpStatus(int http_status);

// A call that failed below gRPC.
Status StatusOf(const call::Error& error);

}  // namespace portico::grpc

#endif  // PORTICO_DATAPLANE_GRPC_STATUS_H_
