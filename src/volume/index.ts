/** The volume room: several disks in, the volumes on them out. Adding a system is a folder, and a line here. */
import * as lvm2 from './lvm2/index.js';
import type { LockedKind, MemberKind } from './system.js';

/** For tests. */
export type { Assembly, LockedKind, LockKey, Member, MemberKind, Volume } from './system.js';
export { lvm2 };

/** In no order: the order is in the engine's list of all kinds. */
export const volumeSystems: readonly (MemberKind | LockedKind)[] = [lvm2.kind];
