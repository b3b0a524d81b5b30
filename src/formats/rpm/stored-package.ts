/** A package in a database of any format. */
import type { StoredValue } from '../paged-value.js';

export interface StoredPackage {
  /** rpm's own number for the package. */
  readonly number: number;
  /** Its header. CorruptError for one that is damaged, behind which the others can still be read. */
  header(): StoredValue;
}
