/** Which volumes are deactivated, kept right when groups are renamed, get other identifiers, or go. */
import type { CarriedCall } from '../../../api/index.js';
import { lvm2 } from '../../../volume/index.js';
import type { Session } from '../../session/session.js';
import { filterSubject, plainCall } from '../../session/session-calls.js';
import { incompleteVolumes } from '../lvm.js';

/** Called when groups have changed on disks: `before` and `after` are what was found of LVM. */
export function recordActivation(session: Session, before: lvm2.LvmState, after: lvm2.LvmState): void {
  const { activation } = session.scan.systems.get(lvm2.kind);
  if (activation.size === 0) return;
  const byUuid = new Map(after.logicalVolumes.map((volume) => [volume.uuid, volume]));
  for (const { id, uuid } of before.logicalVolumes) {
    const decided = activation.get(id);
    const now = byUuid.get(uuid);
    if (decided === undefined || now?.id === id) continue;
    activation.delete(id);
    if (now !== undefined) activation.set(now.id, decided);
  }
  const filter = filterSubject(lvm2.kind);
  session.calls.forgetAlways(
    'volumes',
    (subject) => typeof subject === 'string' && subject.startsWith(filter) && subject !== filter,
  );
  for (const group of after.volumeGroups)
    for (const active of [true, false]) {
      const decided = group.logicalVolumes.filter(({ id }) => activation.get(id) === active);
      if (decided.length === 0) continue;
      const fails = active && incompleteVolumes([group]).length > 0;
      const call: CarriedCall = {
        ...plainCall('vg_activate', active, [group.name]),
        ...(fails ? { fails } : {}),
      };
      session.calls.record(
        'volumes',
        decided.map(({ id }) => filter + id),
        call,
      );
    }
  // The devices of the volumes are those that are active now.
  session.scan.rescanMembers();
}
