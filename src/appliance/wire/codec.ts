/**
 * The arguments and results of the daemon's procedures as XDR, from the tables of the API. Every kind of argument,
 * result and field has one encoding and one decoding; an action is a row of kinds.
 *
 * Files are not among the arguments: their bytes follow in chunks. Optional arguments stand after the required ones,
 * all of them in every call; a mask in the header marks those that were given.
 */
import {
  type Action,
  type ArgumentType,
  camelCase,
  type FieldType,
  type OptionalArgument,
  type OptionType,
  type Parameter,
  type Result,
  type StructTable,
  structs,
} from '../../api/index.js';
import { decodePadded, encodeText } from '../../base/index.js';
import { ProtocolError, type XdrReader, type XdrWriter } from './xdr.js';

/** What of an action the wire knows. */
export interface WireAction extends Pick<Action, 'result'> {
  readonly args: readonly Parameter[];
  readonly options?: Readonly<Record<string, Pick<OptionalArgument, 'type'>>>;
  readonly proc: number;
}

/** One kind of value on the wire. `shortest`: the fewest bytes that a value takes. */
interface Kind<T> {
  readonly shortest: number;
  write(writer: XdrWriter, value: T): void;
  read(reader: XdrReader): T;
}

const uuidLength = 32;

const bool: Kind<boolean> = { shortest: 4, write: (w, value) => w.bool(value), read: (r) => r.bool() };
const int32: Kind<number> = { shortest: 4, write: (w, value) => w.int32(value), read: (r) => r.int32() };
const uint32: Kind<number> = { shortest: 4, write: (w, value) => w.uint32(value), read: (r) => r.uint32() };
const int64: Kind<number> = { shortest: 8, write: (w, value) => w.int64(value), read: (r) => r.int64() };
const uint64: Kind<number> = { shortest: 8, write: (w, value) => w.int64(value), read: (r) => r.uint64() };
const bits64: Kind<bigint> = { shortest: 8, write: (w, value) => w.bits64(value), read: (r) => r.bits64() };
const string: Kind<string> = { shortest: 4, write: (w, text) => w.string(text), read: (r) => r.string() };
const optString: Kind<string | null> = {
  shortest: 4,
  write: (w, text) => w.optString(text),
  read: (r) => r.optString(),
};
/** Decoding makes a copy, because the message may be a part of a much larger buffer. */
const buffer: Kind<Uint8Array> = {
  shortest: 4,
  write: (w, bytes) => w.opaque(bytes),
  read: (r) => Buffer.from(r.opaque()),
};
const char: Kind<string> = {
  shortest: 4,
  write: (w, text) => w.int32(text.charCodeAt(0)),
  read: (r) => {
    const code = r.int32();
    // C's char may be signed.
    if (code < -0x80 || code > 0xff) throw new ProtocolError(`${code} as a character`);
    return String.fromCharCode(code & 0xff);
  },
};
const uuid: Kind<string> = {
  shortest: uuidLength,
  write: (w, text) => w.fixed(Buffer.concat([encodeText(text), Buffer.alloc(uuidLength)], uuidLength)),
  read: (r) => decodePadded(r.fixed(uuidLength)),
};
const optPercent: Kind<number | null> = {
  shortest: 4,
  write: (w, value) => w.float(value ?? -1),
  read: (r) => {
    const value = r.float();
    return value >= 0 ? value : null;
  },
};
const strings = listOf(string);
const none: Kind<undefined> = { shortest: 0, write: () => {}, read: () => undefined };
/** Keys and values in turn, as one list. */
const hashtable: Kind<ReadonlyMap<string, string>> = {
  shortest: 4,
  write: (w, map) => strings.write(w, [...map].flat()),
  read: (r) => {
    const words = strings.read(r);
    if (words.length % 2 !== 0) throw new ProtocolError(`a table of ${words.length} keys and values`);
    const map = new Map<string, string>();
    for (let i = 0; i < words.length; i += 2) map.set(words[i] ?? '', words[i + 1] ?? '');
    return map;
  },
};

function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    shortest: 4,
    write: (w, elements) => w.list(elements, kind.write),
    read: (r) => r.list(kind.shortest, kind.read),
  };
}

const fieldKinds = {
  string,
  device: string,
  uuid,
  char,
  buffer,
  bytes: int64,
  int32,
  uint32,
  int64,
  uint64,
  bits64,
  optPercent,
} as const satisfies Readonly<Record<FieldType, unknown>>;

/** Kinds of arguments that take no bytes. */
const absent = undefined;
const argumentKinds = {
  string,
  optString,
  stringList: strings,
  deviceList: strings,
  pathnameList: strings,
  filenameList: strings,
  device: string,
  pathname: string,
  mountable: string,
  devOrPathname: string,
  mountableOrPathname: string,
  guid: string,
  key: string,
  int: int32,
  int64,
  bits64,
  bool,
  bufferIn: buffer,
  hostPath: string,
  optHostPath: optString,
  fileIn: absent,
  fileOut: absent,
  pointer: absent,
} as const satisfies Readonly<Record<ArgumentType, unknown>>;

/** The optional arguments, each with the value that is sent if the caller gives none. */
const optionKinds = {
  bool: { kind: bool, unset: false },
  int: { kind: int32, unset: 0 },
  int64: { kind: int64, unset: 0 },
  string: { kind: string, unset: '' },
  stringList: { kind: strings, unset: [] },
} as const satisfies Readonly<Record<OptionType, unknown>>;

type Row = Readonly<Record<string, unknown>>;

const structKinds = new Map<string, Kind<Row>>();

/** The kind of a struct, made at its first use. */
export function structKind(name: string): Kind<Row> {
  const known = structKinds.get(name);
  if (known !== undefined) return known;
  // safe: a table of actions names no other structs, as a test of the tables says
  const table: StructTable = structs[name as keyof typeof structs];
  const fields = Object.entries(table).map(([field, type]) => ({
    key: camelCase(field),
    kind: fieldKinds[type] as Kind<unknown>, // safe: a field's value is of its own kind
  }));
  const kind: Kind<Row> = {
    shortest: fields.reduce((sum, field) => sum + field.kind.shortest, 0),
    write: (w, row) => {
      for (const field of fields) field.kind.write(w, row[field.key]);
    },
    read: (r) => {
      const row: Record<string, unknown> = {};
      for (const field of fields) row[field.key] = field.kind.read(r);
      return row;
    },
  };
  structKinds.set(name, kind);
  return kind;
}

function resultKind(result: Result): Kind<unknown> {
  const kinds = { none, bool, int: int32, int64, bits64, string, optString: string, buffer, hashtable };
  switch (result.type) {
    case 'stringList':
      return strings as Kind<unknown>; // safe: as is said of fields
    case 'struct':
      return structKind(result.struct) as Kind<unknown>; // safe: the same
    case 'structList':
      return listOf(structKind(result.struct)) as Kind<unknown>; // safe: the same
    default:
      return kinds[result.type] as Kind<unknown>; // safe: the same
  }
}

interface Plan {
  /** Undefined: not on the wire. */
  readonly args: readonly (Kind<unknown> | undefined)[];
  readonly options: readonly {
    readonly name: string;
    readonly kind: Kind<unknown>;
    readonly unset: unknown;
  }[];
  readonly result: Kind<unknown>;
}

const plans = new WeakMap<WireAction, Plan>();

function planOf(action: WireAction): Plan {
  const known = plans.get(action);
  if (known !== undefined) return known;
  const plan: Plan = {
    args: action.args.map(({ type }) => argumentKinds[type] as Kind<unknown> | undefined), // safe: as above
    options: Object.entries(action.options ?? {}).map(([name, { type }]) => {
      const { kind, unset } = optionKinds[type];
      return { name, kind: kind as Kind<unknown>, unset }; // safe: as above
    }),
    result: resultKind(action.result),
  };
  plans.set(action, plan);
  return plan;
}

const noOptions: readonly string[] = [];

/**
 * Writes the arguments of a call and returns the mask of the given optional ones. `unknown`: the names, always the
 * last ones, that the daemon's version lacks; they must not be given, and are not sent.
 */
export function encodeArguments(
  writer: XdrWriter,
  action: WireAction,
  args: readonly unknown[],
  options: Row,
  unknown: readonly string[] = noOptions,
): bigint {
  const plan = planOf(action);
  for (const [index, kind] of plan.args.entries()) kind?.write(writer, args[index]);
  let mask = 0n;
  for (const [bit, { name, kind, unset }] of plan.options.entries()) {
    if (unknown.includes(name)) continue;
    const given = options[name];
    if (given !== undefined) mask |= 1n << BigInt(bit);
    kind.write(writer, given ?? unset);
  }
  return mask;
}

/** The reverse of {@link encodeArguments}; undefined stands for a file. For tests. */
export function decodeArguments(
  reader: XdrReader,
  action: WireAction,
  mask: bigint,
): { args: unknown[]; options: Row } {
  const plan = planOf(action);
  const args = plan.args.map((kind) => kind?.read(reader));
  const options: Record<string, unknown> = {};
  for (const [bit, { name, kind }] of plan.options.entries()) {
    const value = kind.read(reader);
    if (((mask >> BigInt(bit)) & 1n) === 1n) options[name] = value;
  }
  reader.end();
  return { args, options };
}

/** Writes what an action gives back. For tests. */
export function encodeResult(writer: XdrWriter, action: WireAction, value: unknown): void {
  planOf(action).result.write(writer, value);
}

/** The result of an action. Throws a ProtocolError, or ERANGE for a number that JavaScript cannot hold exactly. */
export function decodeResult(reader: XdrReader, action: WireAction): unknown {
  const value = planOf(action).result.read(reader);
  reader.end();
  return value;
}
