/** The parts that answers over all devices leave out because they could not be read. */
import type { Elsewhere, ErrnoName } from '../base/index.js';

/** A device that could not be read, or what is on it. */
export interface Unreadable {
  /** `/dev/sda2`. */
  readonly device: string;
  /**
   * The recognised content, by blkid's name (`xfs`, `crypto_LUKS`, `LVM2_member`); several names as `ext4 and xfs`;
   * null if nothing was recognised.
   */
  readonly type: string | null;
  /**
   * `ENOTSUP` if the backend does not implement the content; `EINVAL` if several signatures contradict each other;
   * `EIO`, or the host's error, if it is damaged.
   */
  readonly code: ErrnoName;
  /** Why, in words. */
  readonly message: string;
  /** Of what is not implemented: `appliance` where the appliance may read it, `nowhere` where it cannot either. */
  readonly elsewhere?: Elsewhere | undefined;
}
