/** Every target. A new parser has a line here. */
import '../../test/support/platform.js';
import type { Target } from '../target.js';
import { applianceTargets } from './appliance.js';
import { archiveTargets } from './archives.js';
import { databaseTargets } from './databases.js';
import { diskTargets } from './disks.js';
import { fileSystemTargets } from './filesystems.js';
import { guestTargets } from './guests.js';
import { hiveTargets } from './hives.js';
import { journalTargets } from './journals.js';
import { patternTargets } from './patterns.js';
import { pieceTargets } from './pieces.js';
import { writingTargets } from './writing.js';

export const targets: readonly Target[] = [
  ...diskTargets,
  ...fileSystemTargets,
  ...pieceTargets,
  ...archiveTargets,
  ...databaseTargets,
  ...patternTargets,
  ...applianceTargets,
  ...guestTargets,
  ...hiveTargets,
  ...journalTargets,
  ...writingTargets,
];
