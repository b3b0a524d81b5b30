/** The swap areas that are in use: devices, and files of mounted filesystems. Nothing is ever swapped to them. */
import { systemError } from '../base/index.js';
import type { InodeNumber } from '../fs/index.js';
import type { BlockDevice } from './devices.js';
import type { Mount } from './mount.js';
import type { MountTable } from './mount-table.js';

/** Why a mount with such a file cannot be unmounted. */
const reasonFor = (path: string): string => `${path} is a swap area in use`;

/** A file in use, and the path by which it came into use. */
interface SwapFile {
  readonly mount: Mount;
  readonly inode: InodeNumber;
  readonly path: string;
}

export class SwapAreas {
  readonly #devices = new Set<BlockDevice>();
  readonly #files: SwapFile[] = [];
  readonly #mounts: MountTable;

  constructor(mounts: MountTable) {
    this.#mounts = mounts;
  }

  isOn(device: BlockDevice): boolean {
    return this.#devices.has(device);
  }

  addDevice(device: BlockDevice): void {
    this.#devices.add(device);
  }

  /** EINVAL if it is not in use. */
  removeDevice(device: BlockDevice): void {
    if (!this.#devices.delete(device)) throw systemError('EINVAL', `${device.name}: is no swap area in use`);
  }

  /** The mount of the file stays busy. EBUSY if it is in use already. */
  addFile(mount: Mount, inode: InodeNumber, path: string): void {
    if (this.#find(mount, inode) !== undefined) throw systemError('EBUSY', path);
    this.#files.push({ mount, inode, path });
    this.#mounts.hold(mount, reasonFor(path));
  }

  /** Returns the path by which the file came into use. EINVAL if it is not in use. */
  removeFile(mount: Mount, inode: InodeNumber, name: string): string {
    const file = this.#find(mount, inode);
    if (file === undefined) throw systemError('EINVAL', `${name}: is no swap area in use`);
    this.#files.splice(this.#files.indexOf(file), 1);
    this.#mounts.letGo(file.mount, reasonFor(file.path));
    return file.path;
  }

  /** The session ends: nothing is in use any more. */
  end(): void {
    this.#devices.clear();
    for (const { mount, path } of this.#files.splice(0)) this.#mounts.letGo(mount, reasonFor(path));
  }

  #find(mount: Mount, inode: InodeNumber): SwapFile | undefined {
    return this.#files.find((file) => file.mount.fileSystem === mount.fileSystem && file.inode === inode);
  }
}
