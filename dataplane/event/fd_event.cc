#include "dataplane/event/fd_event.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <new>

#include "api/base/check.h"

namespace portico::event {

FdEvent::FdEvent(LibeventLoop& loop, Handler& handler) : loop_(loop), handler_(handler) {
  static_assert(sizeof(struct event) <= kEventBytes);
  new (event_) struct event();
}

FdEvent::~FdEvent() {
  Unwatch();
}

bool FdEvent::Watch(int fd, Interest interest) {
  Unwatch();
  short what = EV_READ | EV_PERSIST;
  if (interest == Interest::kStream) what |= EV_WRITE | EV_CLOSED | EV_ET;
  if (interest == Interest::kReadableOrWritable) what |= EV_WRITE;
  PORTICO_CHECK(event_assign(event(), loop_.base(), fd, what, &FdEvent::OnEvent, this) == 0);
  watched_ = event_add(event(), nullptr) == 0;
  return watched_;
}

void FdEvent::Unwatch() {
  if (watched_) event_del(event());
  watched_ = false;
}

void FdEvent::Trigger(FdReadiness ready) {
  triggered_.readable |= ready.readable;
  triggered_.writable |= ready.writable;
  triggered_.closed |= ready.closed;
  if (!linked()) loop_.triggered_.PushBack(*this);
}

void FdEvent::OnEvent(int fd, short what, void* self) {
  auto* event = static_cast<FdEvent*>(self);
  event->loop_.BeginTurnOnce();
  event->handler_.OnFdEvent({.readable = (what & EV_READ) != 0,  //
                             .writable = (what & EV_WRITE) != 0,
                             .closed = (what & EV_CLOSED) != 0});
}

}  // namespace portico::event
