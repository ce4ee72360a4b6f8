#ifndef PORTICO_DATAPLANE_DOWNSTREAM_MAX_FORWARDS_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_MAX_FORWARDS_H_

#include "dataplane/http/message.h"

namespace portico::downstream {

// RFC 9110 sections 7.6.2 and 9.3.7. Pure.
//
//   if (MeansThisProxy(head)) …       // answered here
//   DecrementMaxForwards(head);

// OPTIONS of "*", and OPTIONS or TRACE whose max-forwards has come to 0. A max-forwards that is no number, or comes
// twice, says nothing.
bool MeansThisProxy(const http::RequestHead& head);

// What goes on has one less, and no more than we can count; of other methods the field says nothing.
void DecrementMaxForwards(http::RequestHead& head);

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_MAX_FORWARDS_H_
