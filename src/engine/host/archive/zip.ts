/** A tree of the guest as a zip file. A file with several names is stored under each. */
import { constants, deflateRawSync } from 'node:zlib';
import { encodeText, work } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { excluder, type ZipSteps, ZipWriter, zipNameProblem } from '../../../formats/index.js';
import type { Place, Visit } from '../../../vfs/index.js';
import { contentsOf } from '../../session/contents.js';
import type { Call } from '../../thread/call.js';
import { BufferedSink } from '../buffered.js';
import { type DataSink, move } from '../copy-data.js';
import { writeZeroes } from '../data-sinks.js';
import { distinctEntries, pathBelow } from './entries.js';
import { TreeProgress } from './progress.js';

interface ZipOptions {
  readonly excludes: readonly string[];
  /** 0, not at all, to 9. */
  readonly level: number;
}

/** What an entry takes in the central directory beside its name, in bytes, with some room. */
const recordLength = 128;

/** Writes everything in a directory, whose path in the guest is for warnings, without the directory itself. */
export function writeZip(
  call: Call,
  directory: string,
  start: Place,
  to: DataSink,
  { excludes, level }: ZipOptions,
): void {
  const out = new BufferedSink(to);
  const zip = new ZipWriter();
  const { damage } = call.session;
  const excluded = excluder(excludes);
  const wanted = ({ path }: Visit): boolean => !excluded(path === '' ? '.' : `./${path}`);
  const progress = new TreeProgress(call, start, wanted, true);

  const run = (steps: ZipSteps): void => {
    let answer: Uint8Array | undefined;
    for (let step = steps.next(); step.done !== true; step = steps.next(answer)) {
      answer = undefined;
      if ('write' in step.value) out.write(step.value.write);
      else {
        const { deflate, last, dictionary } = step.value;
        call.checkpoint();
        answer = deflateRawSync(deflate, {
          level,
          ...(last ? {} : { finishFlush: constants.Z_SYNC_FLUSH }),
          ...(dictionary.length > 0 ? { dictionary } : {}),
        });
      }
    }
  };
  const sink: DataSink = {
    keepsHoles: false,
    write: (bytes) => run(zip.data(bytes)),
    hole: (length) => writeZeroes(sink, length),
  };

  for (const { path, place, stat } of distinctEntries(call, start, wanted, directory)) {
    progress.at(0);
    if (path === '') continue;
    const from = pathBelow(directory, path);
    const { type } = place;
    if (type !== 'file' && type !== 'directory' && type !== 'symlink') {
      call.session.warn(`${from}: a ${type} has no place in a zip file and is left out`, 'no place in zip');
      continue;
    }
    const problem = zipNameProblem(path);
    if (problem !== undefined) {
      call.session.warn(`${from}: left out, as its name ${problem}`, 'no name for zip');
      continue;
    }
    let contents: Disk | undefined;
    let target: Uint8Array | undefined;
    const isThere = damage.attempt(from, () => {
      if (type === 'file') contents = contentsOf(place, path);
      else if (type === 'symlink') target = encodeText(place.fileSystem.readlink(place.inode));
    });
    if (!isThere) continue;
    const name = type === 'directory' ? `${path}/` : path;
    work.bytes.spend(name.length + recordLength);
    zip.begin({
      name,
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      modifiedSeconds: stat.modified.seconds,
      sizeInBytes: type === 'file' ? stat.sizeInBytes : 0,
    });
    if (target !== undefined) run(zip.data(target));
    if (contents !== undefined) {
      move(call, contents, sink, {
        progress: (moved) => progress.at(moved),
        onDamage: (error) => damage.leaveOut(error, from),
      });
      progress.add(stat.sizeInBytes);
    }
    run(zip.end());
  }
  run(zip.finish());
  out.flush();
}
