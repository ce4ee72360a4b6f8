#ifndef PORTICO_DATAPLANE_ADMIN_ADMIN_VIEW_H_
#define PORTICO_DATAPLANE_ADMIN_ADMIN_VIEW_H_

#include <functional>
#include <string>
#include <vector>

#include "dataplane/observe/process_log.h"

namespace portico::admin {

// What the pages show, asked of whoever runs the proxy. On the loop of the AdminServer. `done` is called on that loop,
// at once or later, and does nothing if nobody waits any more; what never comes is answered 503 after a while.
class AdminView {
 public:
  struct Readiness {
    bool ready = false;  // has a configuration and takes requests: not while it starts, and not while it drains
    std::vector<std::string> missing = {};  // what it does not serve all the same, a line each
  };
  virtual Readiness Ready() = 0;
  // Prometheus text 0.0.4.
  virtual void ReadMetrics(std::function<void(std::string)> done) = 0;
  // The configuration in force as YAML, without secrets; "": there is none yet.
  virtual std::string SnapshotText() = 0;
  // JSON.
  virtual void ReadClusters(std::function<void(std::string)> done) = 0;
  virtual observe::Severity log_level() = 0;
  virtual void set_log_level(observe::Severity level) = 0;

 protected:
  ~AdminView() = default;
};

}  // namespace portico::admin

#endif  // PORTICO_DATAPLANE_ADMIN_ADMIN_VIEW_H_
