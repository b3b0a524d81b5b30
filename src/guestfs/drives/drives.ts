/** The drives of a handle: the rules for adding them, and their description. */
import type { ActionOptions, DriveConfig } from '../../api/index.js';
import { GuestfsError, systemError } from '../../base/index.js';
import { checkHostImage } from '../../engine/index.js';
import { checkRemoteDrive } from './servers.js';

/** The most drives that a backend can have; the C library has the same limit with qemu's virtio-scsi. */
export const mostDrives = 255;

/** `/dev/null` means an empty disk of this size. */
const nullDriveInBytes = 4096;

/** File names may hold any character, but these two become part of hypervisors' command lines. */
const wordForm = /^[A-Za-z0-9_-]+$/;
/** A label becomes the name of a link in `/dev/disk/guestfs`. */
const labelForm = /^[A-Za-z]{1,20}$/;

const invalid = (problem: string): GuestfsError => new GuestfsError('EINVAL', problem);

type DriveOptions = ActionOptions<'add_drive'>;

function oneOf(option: string, value: string | undefined, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value))
    throw invalid(`${option} '${value}' is unknown; there are ${known.join(', ')}`);
}

function checkBlocksize(blocksize: number | undefined): 512 | 4096 | undefined {
  // 0 is the default, as in the C library.
  if (blocksize === undefined || blocksize === 0) return undefined;
  if (blocksize !== 512 && blocksize !== 4096)
    throw invalid(`blocksize ${blocksize} is not possible; it must be 512 or 4096`);
  return blocksize;
}

function checkWords(options: DriveOptions): void {
  for (const option of ['format', 'iface'] as const) {
    const value = options[option];
    if (value !== undefined && !wordForm.test(value))
      throw invalid(
        `${option} '${value}' is empty or has characters other than letters, digits, '-' and '_'`,
      );
  }
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The parts that are there. */
function given<T extends object>(parts: T): Given<T> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Given<T>;
}

export class DriveList {
  #drives: readonly DriveConfig[] = [];

  /** In the order in which they were added: `/dev/sda`, `/dev/sdb`, … */
  get all(): readonly DriveConfig[] {
    return this.#drives;
  }

  /** Adds a drive. Throws GuestfsError: EINVAL, or the host's error for reading the file. */
  add(filename: string, options: DriveOptions): void {
    const {
      protocol = 'file',
      readonly = false,
      discard,
      cachemode,
      copyonread,
      blocksize,
      ...rest
    } = options;
    checkWords(options);
    this.#checkLabel(options.label);
    oneOf('cachemode', cachemode, ['writeback', 'unsafe']);
    oneOf('discard', discard, ['disable', 'enable', 'besteffort']);
    if (discard === 'enable' && readonly) throw invalid('discard cannot be enabled for a read-only drive');
    const sectorSize = checkBlocksize(blocksize);
    if (protocol === 'file') {
      for (const option of ['server', 'username', 'secret'] as const)
        if (options[option] !== undefined) throw invalid(`${option} is only for drives on the network`);
    } else {
      if (options.member !== undefined) throw invalid('member is only for archives of this host');
      checkRemoteDrive(protocol, given({ path: filename, ...rest }));
    }
    const common = {
      readonly,
      ...given({
        ...rest,
        cachemode,
        discard: discard === 'disable' ? undefined : discard,
        copyonread: copyonread === true ? true : undefined,
        blocksize: sectorSize,
      }),
    };
    if (protocol !== 'file') return this.#append({ ...common, path: filename, protocol });
    if (filename === '/dev/null') {
      if (options.member !== undefined) throw invalid('/dev/null is no archive, and has no member');
      if (options.format !== undefined && options.format !== 'raw')
        throw invalid(`the format of /dev/null is raw, not ${options.format}`);
      return this.#append({ ...common, format: 'raw', scratchSizeInBytes: nullDriveInBytes });
    }
    if (filename === '') throw systemError('ENOENT', "''");
    checkHostImage(filename);
    this.#append({ ...common, path: filename });
  }

  /** Adds an empty disk that lasts until the backend ends. Throws GuestfsError (EINVAL). */
  addScratch(sizeInBytes: number, options: ActionOptions<'add_drive_scratch'>): void {
    if (sizeInBytes <= 0) throw invalid(`a disk cannot have ${sizeInBytes} bytes`);
    this.#checkLabel(options.label);
    const { blocksize, ...rest } = options;
    const parts = given({ ...rest, blocksize: checkBlocksize(blocksize) });
    this.#append({
      ...parts,
      scratchSizeInBytes: sizeInBytes,
      readonly: false,
      format: 'raw',
      cachemode: 'unsafe',
    });
  }

  /** Removes the drive with a label. Throws GuestfsError (ENOENT). */
  remove(label: string): void {
    const kept = this.#drives.filter((drive) => drive.label !== label);
    if (kept.length === this.#drives.length)
      throw new GuestfsError('ENOENT', `no drive has the label '${label}'`);
    this.#drives = kept;
  }

  clear(): void {
    this.#drives = [];
  }

  /** Takes over the drives of another handle. */
  takeOver(drives: readonly DriveConfig[]): void {
    this.#drives = drives;
  }

  /** One line for each drive, in the C library's notation. */
  describe(): string[] {
    return this.#drives.map((drive) => {
      const words = [drive.path ?? `scratch:${drive.scratchSizeInBytes}`];
      if (drive.readonly) words.push('readonly');
      if (drive.format !== undefined) words.push(`format=${drive.format}`);
      words.push(`protocol=${drive.protocol ?? 'file'}`);
      for (const [word, value] of Object.entries({
        iface: drive.iface,
        name: drive.name,
        member: drive.member,
        label: drive.label,
        cache: drive.cachemode,
        discard: drive.discard,
      }))
        if (value !== undefined) words.push(`${word}=${value}`);
      if (drive.copyonread === true) words.push('copyonread');
      if (drive.blocksize !== undefined) words.push(`blocksize=${drive.blocksize}`);
      return words.join(' ');
    });
  }

  #checkLabel(label: string | undefined): void {
    if (label === undefined) return;
    if (!labelForm.test(label))
      throw invalid(`label '${label}' must be 1 to 20 letters, of a to z and A to Z`);
    if (this.#drives.some((drive) => drive.label === label))
      throw new GuestfsError('EEXIST', `another drive has the label '${label}' already`);
  }

  #append(drive: DriveConfig): void {
    this.#drives = [...this.#drives, drive];
  }
}
