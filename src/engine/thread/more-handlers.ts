/**
 * Topics that many sessions never use. They are loaded at the first call of one of them, so that launches need not
 * wait for them.
 */
import { btrfsHandlers } from '../actions/btrfs.js';
import { checksumHandlers } from '../actions/checksums.js';
import { directoryPage } from '../actions/directory-pages.js';
import { extHandlers } from '../actions/ext.js';
import { fileHandlers } from '../actions/file.js';
import { forensicsHandlers } from '../actions/forensics.js';
import { grepHandlers } from '../actions/grep.js';
import { imageInsideHandlers } from '../actions/nested-images.js';
import { ntfsHandlers } from '../actions/ntfs.js';
import { inotifyHandlers } from '../actions/opened/inotify.js';
import { journalHandlers } from '../actions/opened/journal.js';
import { registryHandlers } from '../actions/opened/registry.js';
import { sfdiskHandlers } from '../actions/sfdisk.js';
import { stringsHandlers } from '../actions/strings.js';
import { transferHandlers, zipOut } from '../actions/transfer.js';
import { xfsHandlers } from '../actions/xfs.js';
import type { OwnHandlers, TopicHandlers } from './handlers.js';

export const moreHandlers = {
  ...checksumHandlers,
  ...extHandlers,
  ...fileHandlers,
  ...forensicsHandlers,
  ...grepHandlers,
  ...imageInsideHandlers,
  ...inotifyHandlers,
  ...journalHandlers,
  ...registryHandlers,
  ...ntfsHandlers,
  ...sfdiskHandlers,
  ...stringsHandlers,
  ...transferHandlers,
  ...btrfsHandlers,
  ...xfsHandlers,
} satisfies TopicHandlers;

/** Internal calls of the handle that many sessions never make. */
export const moreOwnCalls = {
  internal_directory_page: directoryPage,
  internal_zip_out: zipOut,
} satisfies OwnHandlers;
