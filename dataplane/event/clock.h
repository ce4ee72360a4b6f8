#ifndef PORTICO_DATAPLANE_EVENT_CLOCK_H_
#define PORTICO_DATAPLANE_EVENT_CLOCK_H_

#include "dataplane/base/time.h"

namespace portico::event {

// The real clocks. Only LibeventLoop and main read them; everybody else is handed the time. From any thread.
base::MonotonicTime ReadMonotonicClock();
base::WallTime ReadWallClock();

}  // namespace portico::event

#endif  // PORTICO_DATAPLANE_EVENT_CLOCK_H_
