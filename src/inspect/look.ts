/** A look at one filesystem. */
import type { Tree } from '../vfs/index.js';
import type { Facts } from './facts.js';
import type { InspectionHost } from './host.js';

export interface Look {
  /** The filesystem alone, as `/`. */
  readonly tree: Tree;
  readonly mountable: string;
  readonly host: InspectionHost;
  /** What was found so far. */
  readonly facts: Facts;
}
