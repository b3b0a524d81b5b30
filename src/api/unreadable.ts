/** What answers over all devices leave out, because it could not be read. */
import type { Elsewhere, ErrnoName } from '../base/index.js';

/** A device that could not be read, or what is on it. */
export interface Unreadable {
  /** `/dev/sda2`. */
  readonly device: string;
  /**
   * What was recognised on it, by blkid's name (`xfs`, `crypto_LUKS`, `LVM2_member`); several names as `ext4 and xfs`; null
   * where nothing could be.
   */
  readonly type: string | null;
  /**
   * `ENOTSUP` where the backend does not implement what is there; `EINVAL` where there are signatures of several things and
   * nobody can say which is meant; `EIO`, or the host's error, where it is damaged.
   */
  readonly code: ErrnoName;
  /** Why, in words. */
  readonly message: string;
  /** Of what is not implemented: `appliance` where the direct backend may read it, `nowhere` where it cannot either. */
  readonly elsewhere?: Elsewhere | undefined;
}
