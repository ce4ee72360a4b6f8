#ifndef PORTICO_API_BASE_CHECK_H_
#define PORTICO_API_BASE_CHECK_H_

// PORTICO_CHECK(condition) and PORTICO_CHECK(condition, "why"): for what only we can get wrong. It is on in every
// build; a failure prints file, line and condition on standard error and aborts. What the outside can cause is an
// absl::Status, never a check. (Debian's Abseil has no absl/log, hence our own.)

namespace portico::base {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* why);

}  // namespace portico::base

#define PORTICO_CHECK(condition, ...) \
  ((condition) ? static_cast<void>(0) : ::portico::base::CheckFailed(__FILE__, __LINE__, #condition, "" __VA_ARGS__))

#endif  // PORTICO_API_BASE_CHECK_H_
