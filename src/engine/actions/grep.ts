/** Lines that match. One action does everything; the others are its older forms. */
import { decodeText, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { gunzipped } from '../host/gunzip.js';
import { fileContents, linesIn, piecesOf } from '../session/contents.js';
import { TextList } from '../session/text-list.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { lineMatcher } from '../words/regex/index.js';

/** Exported for the compiler. */
export interface GrepOptions {
  readonly extended?: boolean | undefined;
  readonly fixed?: boolean | undefined;
  readonly insensitive?: boolean | undefined;
  readonly compressed?: boolean | undefined;
}

/** The same pieces, each examined before it is used. */
function* lookingAt(
  pieces: Iterable<Uint8Array>,
  look: (piece: Uint8Array) => void,
): Generator<Uint8Array, void> {
  for (const piece of pieces) {
    look(piece);
    yield piece;
  }
}

function grep(call: Call, pattern: string, path: string, options: GrepOptions): string[] {
  if (options.fixed && options.extended)
    throw new GuestfsError('EINVAL', "can't use the 'extended' and 'fixed' flags at the same time");
  const matches = lineMatcher(pattern, options);
  const disk: Disk = fileContents(call, path);
  const pieces = options.compressed ? gunzipped(call, disk, path) : piecesOf(call, disk);
  const found = new TextList(path);
  // As in grep, a file with a NUL byte is binary: nothing is shown from there on, and the first match is the last.
  let isBinary = false;
  for (const bytes of linesIn(lookingAt(pieces, (piece) => (isBinary ||= piece.includes(0))))) {
    if (!matches(bytes)) continue;
    if (isBinary) break;
    found.add(decodeText(bytes));
  }
  return found.items;
}

type Older = (call: Call, pattern: string, path: string) => string[];
const having =
  (options: GrepOptions): Older =>
  (call, pattern, path) =>
    grep(call, pattern, path, options);

export const grepHandlers = {
  grep,
  egrep: having({ extended: true }),
  fgrep: having({ fixed: true }),
  grepi: having({ insensitive: true }),
  egrepi: having({ extended: true, insensitive: true }),
  fgrepi: having({ fixed: true, insensitive: true }),
  zgrep: having({ compressed: true }),
  zegrep: having({ compressed: true, extended: true }),
  zfgrep: having({ compressed: true, fixed: true }),
  zgrepi: having({ compressed: true, insensitive: true }),
  zegrepi: having({ compressed: true, extended: true, insensitive: true }),
  zfgrepi: having({ compressed: true, fixed: true, insensitive: true }),
} satisfies TopicHandlers;
