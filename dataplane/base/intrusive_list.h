#ifndef PORTICO_DATAPLANE_BASE_INTRUSIVE_LIST_H_
#define PORTICO_DATAPLANE_BASE_INTRUSIVE_LIST_H_

#include "api/base/check.h"

namespace portico::base {

// A doubly linked list through its members: no allocation, removal in constant time, and an object that is destroyed
// leaves its list by itself. An object can be in several lists by deriving from ListLink with different tags.
//
//   struct Connection : ListLink<struct IdleTag> { … };
//   IntrusiveList<Connection, struct IdleTag> idle;
//   idle.PushFront(connection);  connection.ListLink<IdleTag>::Unlink();
template <typename Tag>
class ListLink {
 public:
  ListLink() : previous_(this), next_(this) {}
  ~ListLink() { Unlink(); }
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;

  bool linked() const { return next_ != this; }

  void Unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

 private:
  template <typename T, typename U>
  friend class IntrusiveList;

  void InsertAfter(ListLink& place) {
    PORTICO_CHECK(!linked());
    previous_ = &place;
    next_ = place.next_;
    next_->previous_ = this;
    place.next_ = this;
  }

  ListLink* previous_;
  ListLink* next_;
};

// One thread. The list does not own its members; it may die before them.
template <typename T, typename Tag>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  ~IntrusiveList() {
    while (!empty())
      head_.next_->Unlink();
  }

  bool empty() const { return !head_.linked(); }
  void PushFront(T& member) { Link(member).InsertAfter(head_); }
  void PushBack(T& member) { Link(member).InsertAfter(*head_.previous_); }
  // Takes a member out of whichever list of this tag it is in.
  static void Remove(T& member) { Link(member).Unlink(); }
  T* front() { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  T* back() { return empty() ? nullptr : static_cast<T*>(head_.previous_); }
  // The member after this one, or nullptr at the end.
  T* Next(T& member) {
    ListLink<Tag>* next = Link(member).next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }

 private:
  static ListLink<Tag>& Link(T& member) { return static_cast<ListLink<Tag>&>(member); }
  ListLink<Tag> head_;
};

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_INTRUSIVE_LIST_H_
