/** The journal of systemd in a directory of the guest, as libsystemd reads it. */
import {
  CorruptError,
  decodeLz4,
  decodeText,
  GuestfsError,
  systemError,
  UnsupportedError,
} from '../../../base/index.js';
import { decodeZstdFile } from '../../../disk/index.js';
import {
  decodeXz,
  type JournalField,
  JournalFile,
  JournalReader,
  lz4Payload,
} from '../../../formats/index.js';
import { isDamage } from '../../../fs/index.js';
import { contentsOf } from '../../session/contents.js';
import type { OpenJournal } from '../../session/session.js';
import { plainCall } from '../../session/session-calls.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { directoryAt } from '../listing.js';

/** In bytes, as in libsystemd. */
const usualThreshold = 64 * 1024;
/** The largest field that is unpacked, in bytes. */
const largestField = 128 * 1024 * 1024;

/** Files that are written to, and those that were put aside as damaged. */
const isJournal = (name: string): boolean => /\.journal~?$/.test(name);
/** The directory of one machine: the others are those of namespaces. */
const isMachine = (name: string): boolean =>
  /^(?:[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/i.test(name);

/** The journal that is open. It is closed with the filesystem that it is on. */
function opened({ session }: Call): OpenJournal {
  const { journal } = session;
  if (journal !== undefined && session.mounts.mounts().includes(journal.mount)) return journal;
  session.journal = undefined;
  throw new GuestfsError('EINVAL', 'no journal is open: call journal_open first');
}

function close({ session }: Call): void {
  session.journal = undefined;
  session.calls.forget('journal', () => true);
}

/** The files in a directory, and in those of machines that are in it. What cannot be read is left out with a warning. */
function openFiles(call: Call, directory: string): JournalFile[] {
  const { session } = call;
  const files: JournalFile[] = [];
  const look = (path: string, isTop: boolean): void => {
    for (const { name } of session.tree.list(path)) {
      const full = `${path === '/' ? '' : path}/${name}`;
      const isDirectory = isTop && isMachine(name);
      if (!isDirectory && !isJournal(name)) continue;
      const place = session.tree.find(full);
      if (isDirectory && place?.type === 'directory') look(full, false);
      if (!isDirectory && place?.type === 'file')
        session.damage.attempt(full, () => files.push(new JournalFile(contentsOf(place, full))));
    }
  };
  look(directory.replace(/(?<=.)\/+$/, ''), true);
  session.damage.failIfEmpty(files.length === 0);
  return files;
}

function open(call: Call, directory: string): void {
  close(call);
  const { session } = call;
  const { mount } = directoryAt(call, directory);
  const files = openFiles(call, directory);
  const journal = new JournalReader(files, (error) => {
    if (!isDamage(error)) throw error;
    session.damage.leaveOut(error, directory);
  });
  session.journal = { journal, mount, threshold: usualThreshold, position: undefined };
  session.calls.record('journal', ['open'], plainCall('journal_open', directory));
}

/** Goes by so many entries, and returns by how many it went. */
function skip(call: Call, count: number): number {
  const { session } = call;
  const open = opened(call);
  const direction = count < 0 ? -1 : 1;
  let gone = 0;
  while (gone < Math.abs(count) && open.journal.step(direction)) {
    gone++;
    if ((gone & 255) === 0) call.checkpoint();
  }
  if (gone === 0) return 0;
  // The first step may lead elsewhere than the others do.
  const begins = open.position === undefined;
  open.position = (open.position ?? 0) + (begins ? 0 : direction) + (gone - 1) * direction;
  if (begins) session.calls.record('journal', ['first'], plainCall('journal_skip', direction));
  session.calls.record('journal', ['position'], plainCall('journal_skip', open.position));
  return gone;
}

/** A field unpacked: all of it, as the libsystemd of today gives it, whatever the threshold. */
function unpacked({ payload, compression }: JournalField): Uint8Array {
  switch (compression) {
    case undefined:
      return payload;
    case 'xz':
      return decodeXz(payload, largestField);
    case 'zstd':
      return decodeZstdFile(payload, largestField);
    case 'lz4': {
      const { size, packed } = lz4Payload(payload);
      if (size > largestField)
        throw new UnsupportedError('journal field', [`one of ${size} bytes`], { elsewhere: 'appliance' });
      const bytes = new Uint8Array(size);
      if (decodeLz4(packed, bytes) !== size)
        throw new CorruptError('journal field', 'is shorter than it says', { size });
      return bytes;
    }
  }
}

const equals = 0x3d;

function getFields(call: Call): { attrname: string; attrval: Uint8Array }[] {
  const fields = opened(call).journal.fields();
  if (fields === undefined) throw systemError('EADDRNOTAVAIL', 'the journal stands before its first entry');
  return Array.from(fields, (field) => {
    const bytes = unpacked(field);
    const end = bytes.indexOf(equals);
    if (end < 0) throw new CorruptError('journal field', 'has no name', { length: bytes.length });
    return { attrname: decodeText(bytes.subarray(0, end)), attrval: bytes.slice(end + 1) };
  });
}

export const journalHandlers = {
  journal_open: open,
  journal_close(call) {
    opened(call);
    close(call);
  },
  journal_next: (call) => skip(call, 1) === 1,
  journal_skip: skip,
  journal_get: getFields,
  journal_get_realtime_usec(call) {
    const { realtime } = opened(call).journal;
    if (realtime === undefined)
      throw systemError('EADDRNOTAVAIL', 'the journal stands before its first entry');
    return realtime;
  },
  journal_get_data_threshold: (call) => opened(call).threshold,
  journal_set_data_threshold(call, threshold) {
    if (threshold < 0) throw new GuestfsError('EINVAL', `${threshold}: a threshold cannot be negative`);
    opened(call).threshold = threshold;
    call.session.calls.record('journal', ['threshold'], plainCall('journal_set_data_threshold', threshold));
  },
} satisfies TopicHandlers;
