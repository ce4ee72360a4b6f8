#include "dataplane/event/loop.h"

#include <utility>

namespace portico::event {

Loop::Loop() = default;

Loop::~Loop() {
  RunDeletions();
}

void Loop::AtTurnEnd(TurnEnd& task) {
  if (!task.linked()) turn_ends_.PushBack(task);
}

void Loop::DeleteLater(std::unique_ptr<Deletable> object) {
  deletions_.push_back(std::move(object));
}

void Loop::EndTurn() {
  timers_.Advance(now_);
  for (int round = 0; round < kTurnEndRoundsMax && !turn_ends_.empty(); ++round)
    RunTurnEnds();
  RunDeletions();
}

// Destructors may hand over further objects: those go in the next round.
void Loop::RunDeletions() {
  while (!deletions_.empty()) {
    dying_.swap(deletions_);
    dying_.clear();
  }
}

// One round: what asks again meanwhile waits for the next.
void Loop::RunTurnEnds() {
  base::IntrusiveList<TurnEnd, struct TurnEndTag> round;
  while (TurnEnd* task = turn_ends_.front()) {
    task->Unlink();
    round.PushBack(*task);
  }
  while (TurnEnd* task = round.front()) {
    task->Unlink();
    task->OnTurnEnd();
  }
}

}  // namespace portico::event
