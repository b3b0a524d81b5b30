/** Checksums of files, devices and trees. */
import { encodeHex, GuestfsError, systemError } from '../../base/index.js';
import { type Disk, type HashName, platform } from '../../disk/index.js';
import { joinPath, walkTree } from '../../vfs/index.js';
import { TreeProgress } from '../host/archive/progress.js';
import { BufferedSink } from '../host/buffered.js';
import { type MoveOptions, move } from '../host/copy-data.js';
import { writeZeroes } from '../host/data-sinks.js';
import { contentsOf, fileContents } from '../session/contents.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { PosixCrc } from '../words/cksum.js';

/** What computes a checksum. */
interface Summer {
  update(bytes: Uint8Array): void;
  result(): string;
}

const hashes: readonly HashName[] = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];

/** By its name, in whatever case. */
function summer(name: string): Summer {
  const lower = name.toLowerCase();
  if (lower === 'crc') return new PosixCrc();
  const type = hashes.find((known) => known === lower);
  if (type === undefined) throw new GuestfsError('EINVAL', `${name}: unknown type of checksum`);
  const hash = platform().hash(type);
  return { update: (bytes) => hash.update(bytes), result: () => encodeHex(hash.digest()) };
}

function sum(call: Call, type: string, disk: Disk, options: MoveOptions = {}): string {
  const state = summer(type);
  const sink = {
    keepsHoles: false,
    write: (bytes: Uint8Array) => state.update(bytes),
    hole: (length: number) => writeZeroes(sink, length),
  };
  move(call, disk, sink, options);
  return state.result();
}

/**
 * A line as coreutils print it: names with a newline, a return or a backslash are escaped, and the line is marked.
 */
function sumLine(type: string, checksum: string, size: number, path: string): string {
  if (type === 'crc') return `${checksum} ${size} ${path}\n`;
  const escaped = path.replace(/[\\\n\r]/g, (one) => (one === '\n' ? '\\n' : one === '\r' ? '\\r' : '\\\\'));
  return `${escaped === path ? '' : '\\'}${checksum}  ${escaped}\n`;
}

export const checksumHandlers = {
  checksum: (call, type, path) => sum(call, type, fileContents(call, path)),
  checksum_device: (call, type, name) => sum(call, type, call.session.devices.resolve(name).disk),
  checksums_out(call, type, directory, sink) {
    const { tree, damage } = call.session;
    summer(type); // an unknown type is refused before anything is written
    const start = tree.resolve(directory);
    if (start.type !== 'directory') throw systemError('ENOTDIR', directory);
    const out = new BufferedSink(sink);
    const progress = new TreeProgress(call, start, undefined, true);
    for (const { path, place } of walkTree(tree, start, { stat: true, from: directory })) {
      progress.at(0);
      if (place.type !== 'file') continue;
      let line = '';
      damage.attempt(joinPath(directory, path), () => {
        const disk = contentsOf(place, path);
        const checksum = sum(call, type, disk, { progress: (moved) => progress.at(moved) });
        line = sumLine(type, checksum, disk.size, `./${path}`);
        progress.add(disk.size);
      });
      out.text(line);
    }
    out.flush();
    damage.failIfPartial();
  },
} satisfies TopicHandlers;
