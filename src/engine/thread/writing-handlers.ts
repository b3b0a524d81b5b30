/**
 * What changes disks: files, filesystems, partition tables, volumes. It is loaded at the first call that none of the
 * other tables has, as most sessions only read. Each topic is a file of `actions/writing/`.
 */

import { registryWritingHandlers } from '../actions/opened/registry-changes.js';
import { archiveWritingHandlers } from '../actions/writing/archives.js';
import { attributeWritingHandlers } from '../actions/writing/attributes.js';
import { checkingHandlers } from '../actions/writing/checking.js';
import { copyingHandlers } from '../actions/writing/copying.js';
import { deviceWritingHandlers } from '../actions/writing/devices.js';
import { directoryWritingHandlers } from '../actions/writing/directories.js';
import { extFormatHandlers } from '../actions/writing/ext-format.js';
import { extTuneHandlers } from '../actions/writing/ext-tune.js';
import { fileWritingHandlers } from '../actions/writing/files.js';
import { makingHandlers } from '../actions/writing/filesystems.js';
import { freeSpaceHandlers } from '../actions/writing/free-space.js';
import { checkImageFile, resizeImageFile } from '../actions/writing/image-files.js';
import { linkWritingHandlers } from '../actions/writing/links.js';
import { lvmWritingHandlers } from '../actions/writing/lvm.js';
import { makeFilesystem } from '../actions/writing/make-filesystem.js';
import { namingHandlers } from '../actions/writing/naming.js';
import { partitionWritingHandlers } from '../actions/writing/partitions.js';
import { swapHandlers } from '../actions/writing/swap.js';
import type { OwnHandlers, TopicHandlers } from './handlers.js';

export const writingHandlers = {
  ...archiveWritingHandlers,
  ...attributeWritingHandlers,
  ...checkingHandlers,
  ...copyingHandlers,
  ...deviceWritingHandlers,
  ...partitionWritingHandlers,
  ...directoryWritingHandlers,
  ...fileWritingHandlers,
  ...freeSpaceHandlers,
  ...linkWritingHandlers,
  ...extFormatHandlers,
  ...extTuneHandlers,
  ...makingHandlers,
  ...namingHandlers,
  ...lvmWritingHandlers,
  ...registryWritingHandlers,
  ...swapHandlers,
} satisfies TopicHandlers;

export const writingOwnCalls = {
  internal_make_filesystem: makeFilesystem,
  internal_check_image: checkImageFile,
  internal_resize_image: resizeImageFile,
} satisfies OwnHandlers;
