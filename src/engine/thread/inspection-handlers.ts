/** What concerns operating systems. It is loaded alone, as many programs inspect, mount, and read a file or two. */
import {
  inspectionHandlers,
  listUnreadable,
  osInfo,
  sessionToCopy,
  takeInspection,
} from '../actions/inspection.js';
import type { OwnHandlers } from './handlers.js';

export { inspectionHandlers };

/** Internal calls that stand on an inspection. */
export const inspectionOwnCalls = {
  internal_unreadable: listUnreadable,
  internal_session: sessionToCopy,
  internal_inspection: takeInspection,
  internal_os_info: osInfo,
} satisfies OwnHandlers;
