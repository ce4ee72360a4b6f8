#ifndef PORTICO_CONTROLPLANE_CHANGE_LINE_H_
#define PORTICO_CONTROLPLANE_CHANGE_LINE_H_

#include <string>

#include "api/portico/v1/config_service.pb.h"

namespace portico::controlplane {

// A revision as the log tells it: "revision 7 by alice from 10.0.0.7:4711: 2 created, 1 updated". What is not printable
// ASCII in a name becomes "?", so that nobody writes lines of their own into the log; the audit has it whole.
std::string ChangeLine(const portico::v1::RevisionRecord& record);

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_CHANGE_LINE_H_
