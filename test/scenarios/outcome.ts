/** What a step gave, as JSON: the same for both backends where they agree. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type ActionName, actions, camelCase } from '../../src/api/index.js';
import { errnoNumbers } from '../../src/base/index.js';
import { readCpio, readTar } from './archives.js';
import { type Difference, findDifference, type Json } from './difference.js';
import type { Scenario, Step } from './scenario.js';

/**
 * A value; or an error by its number, 0 where libguestfs gives none; or, of the libguestfs at hand, why it has no answer:
 * it may be older than the action, or its binding narrower than the API.
 */
export type Outcome =
  | { readonly value: unknown }
  | { readonly errno: number; readonly message: string }
  | { readonly absent: string };

/** A value as JSON: bytes in base64, large numbers as text, masks signed, maps as objects. */
export function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return numberJson(BigInt.asIntN(64, value));
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toJson);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, each]) => [String(key), toJson(each)]));
}

const numberJson = (value: bigint): Json =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : String(value);

/** Names of fields as the handle has them. */
function renamed(value: Json): Json {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [camelCase(key), renamed(each)]));
}

const bytesOf = (value: Json): Buffer => Buffer.from((value as { bytes: string }).bytes, 'base64');
const latin1 = (value: Json): string => bytesOf(value).toString('latin1');
const sortedLines = (separator: string) => (value: Json) => latin1(value).split(separator).sort();
const sortedBy = (field: string) => (value: Json) =>
  (value as Record<string, string>[]).toSorted((a, b) =>
    (a[field] ?? '') < (b[field] ?? '') ? -1 : 1,
  ) as Json;

const sortedTable = (value: Json): Json => Object.fromEntries(Object.entries(value as object).sort()) as Json;

/** Of actions whose answer may be put in several ways: the form that is compared. */
const canonical: Readonly<Partial<Record<ActionName, (value: Json, step: Step) => Json>>> = {
  // The order of a directory's entries, and of attributes, is the filesystem's affair.
  readdir: sortedBy('name'),
  getxattrs: sortedBy('attrname'),
  lgetxattrs: sortedBy('attrname'),
  ls0: sortedLines('\0'),
  find0: sortedLines('\0'),
  // Tables have no order.
  list_disk_labels: sortedTable,
  blkid: sortedTable,
  // libguestfs 1.48 calls the last but one field of the struct `app2_spare1`.
  inspect_list_applications2: (value) =>
    (value as Record<string, Json>[]).map(({ app2Spare1, app2Class, ...rest }) => ({
      ...rest,
      app2Class: app2Class ?? app2Spare1 ?? '',
    })) as Json,
  // Linux has its own names for the drives.
  sfdisk_kernel_geometry: (value) => String(value).replace(/^[^:]*/, ''),
  sfdisk_disk_geometry: (value) => String(value).replace(/^[^:]*/, ''),
  // What belongs together has the same number, whatever that is.
  inotify_read: (value) =>
    (value as Record<string, Json>[]).map((event) => ({ ...event, inCookie: event.inCookie !== 0 })),
  // Random, but for how they begin and end.
  mkdtemp: (value) => String(value).replace(/[^/]{6}$/, 'XXXXXX'),
  mktemp: (value) => String(value).replace(/[^/]{6}(\.txt)?$/, 'XXXXXX$1'),
  checksums_out: sortedLines('\n'),
  tar_out: (value, step) =>
    readTar(hasOption(step, 'compress') ? gunzipSync(bytesOf(value)) : bytesOf(value)) as unknown as Json,
  tgz_out: (value) => readTar(gunzipSync(bytesOf(value))) as unknown as Json,
  cpio_out: (value) => readCpio(bytesOf(value)) as unknown as Json,
  compress_out: (value) => ({ bytes: gunzipSync(bytesOf(value)).toString('base64') }),
  compress_device_out: (value) =>
    createHash('sha256')
      .update(gunzipSync(bytesOf(value)))
      .digest('hex'),
};

const hasOption = (step: Step, name: string): boolean => {
  const last = step.at(-1);
  return typeof last === 'object' && last !== null && name in last;
};

/** The form of an outcome that is compared. */
export function comparable(step: Step, outcome: Outcome): Json {
  if ('errno' in outcome) return { errno: outcome.errno };
  if ('absent' in outcome) return null;
  const isStruct = /^struct/.test(actions[step[0]].result.type);
  const value = isStruct ? renamed(toJson(outcome.value)) : toJson(outcome.value);
  // What went to a file that lasts is looked at by a later step.
  return value === null ? null : (canonical[step[0]]?.(value, step) ?? value);
}

/** Whether ours answers as libguestfs does. An error of theirs without a number is any error of ours. */
export function agrees(step: Step, ours: Outcome, theirs: Outcome): boolean {
  if ('absent' in theirs || 'absent' in ours) return true;
  if ('errno' in theirs) return 'errno' in ours && (theirs.errno === 0 || ours.errno === theirs.errno);
  return JSON.stringify(comparable(step, ours)) === JSON.stringify(comparable(step, theirs));
}

/** What is to be said of a step: nothing where all is as it should be. */
export function problemOf(
  differences: readonly Difference[],
  scenario: Scenario,
  index: number,
  ours: Outcome,
  theirs: Outcome,
): string | undefined {
  const step = scenario.steps[index];
  if (step === undefined) return `there is no step ${index}`;
  const known = findDifference(differences, scenario.name, step);
  const same = !('absent' in theirs) && agrees(step, ours, theirs);
  const show = (outcome: Outcome): string => {
    const text =
      'absent' in outcome
        ? outcome.absent
        : 'errno' in outcome
          ? `error ${outcome.errno}: ${outcome.message}`
          : JSON.stringify(comparable(step, outcome));
    return text.length > 1500 ? `${text.slice(0, 1500)}…` : text;
  };
  const title = `${scenario.name}, step ${index}: ${JSON.stringify(step)}`;
  if (known === undefined)
    return same ? undefined : `${title}\n  ours:   ${show(ours)}\n  theirs: ${show(theirs)}`;
  if (same) return `${title}: differs no more, and is still in the list: ${known.because}`;
  return isAsListed(known, step, ours)
    ? undefined
    : `${title}: differs otherwise than the list has it\n  ours: ${show(ours)}`;
}

function isAsListed({ ours: listed }: Difference, step: Step, ours: Outcome): boolean {
  if (typeof listed === 'string') return 'errno' in ours && ours.errno === errnoNumbers[listed];
  if ('errno' in ours) return false;
  const value = comparable(step, ours);
  return typeof listed === 'function'
    ? listed(value)
    : JSON.stringify(value) === JSON.stringify(listed.value);
}
