/** The volume systems of a session, each with its assembled members, and the user's requests for its volumes. */
import { GuestfsError } from '../../base/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import type { Assembly, MemberKind, Volume } from '../../volume/index.js';
import type { LayerKind } from './kinds.js';

type Assembling = MemberKind & Required<Pick<MemberKind, 'assemble'>>;

const isAssembling = (kind: LayerKind): kind is Assembling =>
  kind.role === 'member' && kind.assemble !== undefined;

/** One volume system. */
export class VolumeSystem {
  readonly kind: Assembling;
  /** The devices that were put together last. */
  members: readonly BlockDevice[] = [];
  /** What they amount to. */
  assembly: Assembly | undefined;
  /** Whether the members must be assembled again, although they are the same devices. */
  isStale = true;
  /** The names of the only devices that are searched for members; a drive includes its partitions; undefined: all. */
  filter: ReadonlySet<string> | undefined;
  /** Volumes that the user activated or deactivated, by id; the others are as at launch. */
  readonly activation = new Map<string, boolean>();

  constructor(kind: Assembling) {
    this.kind = kind;
  }

  /** Whether a volume must have a device, automatically or by command. */
  isActive({ id, active, activatable }: Volume): boolean {
    const told = this.activation.get(id);
    return told === undefined ? active : told && activatable;
  }

  /** The number of a deactivated volume is kept for it, because it will be activated in the same order. */
  get minors(): ReadonlyMap<number, Volume> {
    const hasNumber = (volume: Volume): boolean =>
      volume.active || (volume.activatable && this.activation.has(volume.id));
    return this.assembly?.minors(hasNumber) ?? new Map();
  }
}

export class VolumeSystems {
  readonly all: readonly VolumeSystem[];

  constructor(kinds: readonly LayerKind[]) {
    this.all = kinds.filter(isAssembling).map((kind) => new VolumeSystem(kind));
  }

  get(kind: MemberKind): VolumeSystem {
    const system = this.all.find((each) => each.kind === kind);
    if (system === undefined) throw new GuestfsError('EIO', `${kind.name}: is not among the volume systems`);
    return system;
  }

  /** What a volume system made of the devices. */
  stateOf<State>(kind: MemberKind<State>): State {
    const assembly = this.get(kind).assembly as Assembly<State> | undefined; // safe: made by this kind
    if (assembly === undefined) throw new GuestfsError('EIO', `${kind.name}: volumes were not scanned`);
    return assembly.state;
  }

  /** Why there is no device of a name, if a volume has that name. */
  absence(name: string): string | undefined {
    return this.#first((assembly) => assembly.absence(name));
  }

  /** Why the member on a device cannot be read; undefined if it can. */
  memberFault({ name }: BlockDevice): GuestfsError | undefined {
    return this.#first(({ problems }) => problems.find(({ device }) => device === name)?.error);
  }

  /** The name of the device of the member with an identifier. */
  findMember(id: string): string | undefined {
    return this.#first((assembly) => assembly.findMember(id));
  }

  #first<T>(look: (assembly: Assembly) => T | undefined): T | undefined {
    for (const { assembly } of this.all) {
      const found = assembly && look(assembly);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
