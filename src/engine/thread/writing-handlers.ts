/**
 * What changes disks: files, filesystems, partition tables, volumes. It is loaded at the first call that none of the
 * other tables has, as most sessions only read. Each topic is a file of `actions/writing/`.
 */
import { deviceWritingHandlers } from '../actions/writing/devices.js';
import { partitionWritingHandlers } from '../actions/writing/partitions.js';
import { swapHandlers } from '../actions/writing/swap.js';
import type { TopicHandlers } from './handlers.js';

export const writingHandlers = {
  ...deviceWritingHandlers,
  ...partitionWritingHandlers,
  ...swapHandlers,
} satisfies TopicHandlers;
