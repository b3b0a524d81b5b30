/** cramfs, the compressed read-only filesystem of firmware and initial RAM disks: the door. Read as Linux shows it. */
import type { FileSystemDriver } from '../driver.js';
import { openCram } from './filesystem.js';
import { probe } from './probe.js';

export const cramfs: FileSystemDriver = {
  name: 'cramfs',
  role: 'filesystem',
  types: ['cramfs'],
  usage: 'filesystem',
  neverWritten: true,
  probe,
  open: openCram,
};
