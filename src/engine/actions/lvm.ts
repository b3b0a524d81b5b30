/** LVM, read. */
import type { TopicHandlers } from '../handlers.js';

export const lvmHandlers = {
  lvs: (call) => call.session.devices.volumes.map(({ name }) => name),
} satisfies TopicHandlers;
