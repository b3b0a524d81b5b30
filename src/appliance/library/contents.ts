/**
 * Whole files: read through `download`, which has no length limit, and written in the way that suits their length.
 */
import { type ActionName, resultLimit } from '../../api/index.js';
import { decodeText } from '../../base/index.js';
import type { Composites, LibraryCall } from './call.js';
import { gather } from './gather.js';

/** The contents of a file of the guest. EFBIG past the limit. */
export function readGuestFile(call: LibraryCall, path: string, limitInBytes = resultLimit): Promise<Buffer> {
  return gather(path, (sink) => call.daemon('download', [path, sink]), limitInBytes);
}

/** The lines of a text without their newlines. The last line may lack one. */
export function linesOf(bytes: Uint8Array): string[] {
  const lines = decodeText(bytes).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Longer contents are uploaded: a message has at most 4 MiB, and libguestfs has the same limit here. */
const longestMessageInBytes = 2 * 1024 * 1024;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export const contentsActions = {
  cat: async (call, path) => decodeText(await readGuestFile(call, path)),
  read_file: (call, path) => readGuestFile(call, path),
  read_lines: async (call, path) =>
    linesOf(await readGuestFile(call, path)).map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line)),
  write: async (call, path, content) => {
    if (content.length <= longestMessageInBytes) await call.internal('internal_write', [path, content]);
    else await call.daemon('upload', [once(content), path]);
  },
  write_append: async (call, path, content) => {
    if (content.length <= longestMessageInBytes)
      return void (await call.internal('internal_write_append', [path, content]));
    const end = await call.daemon('filesize', [path]);
    await call.daemon('upload_offset', [once(content), path, end]);
  },
} satisfies Partial<Composites<ActionName>>;
