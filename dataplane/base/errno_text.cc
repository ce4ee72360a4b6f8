#include "dataplane/base/errno_text.h"

#include <cerrno>
#include <cstring>

namespace portico::base {

std::string ErrnoText(int error) {
  if (error == EADDRINUSE) return "address in use";
  // Not strerror: that one may share its memory between threads.
  const char* description = strerrordesc_np(error);
  if (description == nullptr) return "error " + std::to_string(error);
  std::string text = description;
  // The texts begin with one capital letter ("Connection refused"), except where it is part of a word ("RFS …").
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z') text[0] += 'a' - 'A';
  return text;
}

}  // namespace portico::base
