/** For what somebody who looks elsewhere is called back. */
import type { Entry, WorkThread } from '../api/shapes';

/** Whether somebody has to be called for what was said. */
export function concerns(entry: Entry, thread: WorkThread, me: string): boolean {
  if (thread.spam || thread.archived) return false;
  if (entry.type === 'MESSAGE') {
    if (entry.direction !== 'INCOMING') return false;
    return !thread.assignedTo || thread.assignedTo === me;
  }
  return entry.type === 'COMMENT' && entry.createdBy !== me && thread.assignedTo === me;
}
