#ifndef PORTICO_CONTROLPLANE_ADMIN_PAGES_H_
#define PORTICO_CONTROLPLANE_ADMIN_PAGES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "controlplane/model/model.h"

namespace portico::admin {

// What the pages tell, as of now.
struct State {
  bool ready = false;
  model::SharedModel model;
  uint64_t changes = 0;  // revisions made since the start
};

struct Answer {
  int status = 200;
  std::string content = {};
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string_view allow = {};  // of 405
};

// `path` without query. HEAD is answered as GET; whoever sends it leaves out the content.
Answer AnswerTo(std::string_view method, std::string_view path, const State& state);

}  // namespace portico::admin

#endif  // PORTICO_CONTROLPLANE_ADMIN_PAGES_H_
