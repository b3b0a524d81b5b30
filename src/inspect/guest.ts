/** One operating system, with the answers of the `inspect_get_*` calls. */
import { GuestfsError } from '../base/index.js';
import { osinfoOf } from '../formats/index.js';
import type { Distro, Facts, OsType, PackageFormat, PackageManagement } from './facts.js';

export class InspectedGuest {
  /** Its root filesystem: `/dev/sda2`. */
  readonly root: string;
  readonly type: OsType | 'unknown';
  readonly distro: Distro | 'unknown';
  readonly productName: string;
  readonly productVariant: string;
  /** 0 if unknown, as is `minorVersion`. */
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly arch: string;
  readonly hostname: string;
  readonly buildId: string;
  readonly packageFormat: PackageFormat | 'unknown';
  readonly packageManagement: PackageManagement | 'unknown';
  readonly osinfo: string;
  /** The mount points with their mountables, in libguestfs's order, which is the reverse of fstab's. */
  readonly mountpoints: ReadonlyMap<string, string>;
  /** The system's mountables, including swap. */
  readonly filesystems: readonly string[];
  /** All that is known. */
  readonly facts: Facts;

  constructor(root: string, facts: Facts) {
    this.root = root;
    this.facts = facts;
    this.type = facts.type ?? 'unknown';
    this.distro = facts.distro ?? 'unknown';
    this.productName = facts.productName ?? 'unknown';
    this.productVariant = facts.productVariant ?? 'unknown';
    this.majorVersion = facts.version?.major ?? 0;
    this.minorVersion = facts.version?.minor ?? 0;
    this.arch = facts.arch ?? 'unknown';
    this.hostname = facts.hostname ?? 'unknown';
    this.buildId = facts.buildId ?? 'unknown';
    this.packageFormat = facts.packageFormat ?? 'unknown';
    this.packageManagement = facts.packageManagement ?? 'unknown';
    this.osinfo = osinfoOf(facts);
    const { fstab } = facts;
    this.mountpoints = new Map(
      fstab.length === 0
        ? [['/', root]]
        : fstab
            .filter(({ mountpoint }) => mountpoint.startsWith('/'))
            .map(({ mountpoint, mountable }) => [mountpoint, mountable]),
    );
    this.filesystems = fstab.length === 0 ? [root] : fstab.map(({ mountable }) => mountable);
  }

  /** The partitions of Windows's drive letters, those that are here. */
  get driveMappings(): ReadonlyMap<string, string> {
    return new Map(this.facts.driveMappings);
  }

  /** EINVAL where the guest is not Windows. */
  get windowsSystemroot(): string {
    return this.#windows(this.facts.windowsSystemroot, 'systemroot could not be determined');
  }

  /** EINVAL where the guest is not Windows. */
  get windowsSoftwareHive(): string {
    return this.#windows(this.facts.windowsSoftwareHive, 'software hive not found');
  }

  /** EINVAL where the guest is not Windows. */
  get windowsSystemHive(): string {
    return this.#windows(this.facts.windowsSystemHive, 'system hive not found');
  }

  /** EINVAL where the guest is not Windows. */
  get windowsCurrentControlSet(): string {
    return this.#windows(this.facts.windowsCurrentControlSet, 'CurrentControlSet could not be determined');
  }

  /** Whether policies were applied. EINVAL where the guest is not Windows. */
  get windowsGroupPolicy(): boolean {
    return this.#windows(this.facts.windowsGroupPolicy, 'its registry could not be read');
  }

  #windows<T>(value: T | undefined, otherwise: string): T {
    if (value === undefined) throw new GuestfsError('EINVAL', `not a Windows guest, or ${otherwise}`);
    return value;
  }
}
