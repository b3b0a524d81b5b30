/** Results without a length limit, which the daemon sends as a stream of records: in XDR, except for the journal. */
import type { ActionName, StructName, Structs } from '../../api/index.js';
import { decodeText } from '../../base/index.js';
import { structKind } from '../wire/codec.js';
import { ProtocolError, XdrReader } from '../wire/xdr.js';
import { type Composites, failedWith, type LibraryCall } from './call.js';
import { gather } from './gather.js';

/** Structs one after another, up to the end of the bytes. */
function structsOf<S extends StructName>(name: S, bytes: Buffer): Structs[S][] {
  const reader = new XdrReader(bytes);
  const kind = structKind(name);
  const found: Structs[S][] = [];
  while (reader.left > 0) found.push(kind.read(reader) as Structs[S]); // safe: the kind is this struct's
  return found;
}

const lengthBytes = 8;

/** Fields `NAME=value`, each after its length in 64 bits, big endian. The name ends at the first `=`. */
function journalFields(bytes: Buffer): Structs['xattr'][] {
  const fields: Structs['xattr'][] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < lengthBytes) throw new ProtocolError('a journal entry that breaks off');
    const length = bytes.readBigUInt64BE(at);
    at += lengthBytes;
    if (length > BigInt(bytes.length - at))
      throw new ProtocolError(`a journal field of ${length} bytes where ${bytes.length - at} are left`);
    const field = bytes.subarray(at, at + Number(length)); // safe: no longer than the buffer
    const equals = field.indexOf('=');
    if (equals < 0) throw new ProtocolError('a journal field without a name');
    fields.push({ attrname: decodeText(field.subarray(0, equals)), attrval: field.subarray(equals + 1) });
    at += field.length;
  }
  return fields;
}

/**
 * The entries of a directory. Daemons before 1.49 have another procedure for this, with one message as its answer.
 */
async function readdir(call: LibraryCall, directory: string): Promise<Structs['dirent'][]> {
  try {
    const bytes = await gather(directory, (sink) => call.internal('internal_readdir', [directory, sink]));
    return structsOf('dirent', bytes);
  } catch (thrown) {
    if (!failedWith(thrown, 'ENOTSUP')) throw thrown;
    return await call.internal('readdir', [directory]);
  }
}

export const recordActions = {
  readdir,
  filesystem_walk: async (call, device) => {
    const work = (sink: NodeJS.WritableStream) => call.internal('internal_filesystem_walk', [device, sink]);
    return structsOf('tsk_dirent', await gather(device, work));
  },
  find_inode: async (call, device, inode) => {
    const work = (sink: NodeJS.WritableStream) => call.internal('internal_find_inode', [device, inode, sink]);
    return structsOf('tsk_dirent', await gather(device, work));
  },
  yara_scan: async (call, path) => {
    const work = (sink: NodeJS.WritableStream) => call.internal('internal_yara_scan', [path, sink]);
    return structsOf('yara_detection', await gather(path, work));
  },
  journal_get: async (call) =>
    journalFields(await gather('the entry', (sink) => call.internal('internal_journal_get', [sink]))),
} satisfies Partial<Composites<ActionName>>;
