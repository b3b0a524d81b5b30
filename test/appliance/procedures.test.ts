/** The procedures on the wire are those of guestfsd's own description, argument by argument. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionNames, actions, firstSerial, structs } from '../../src/api/index.js';
import { structKind, type WireAction } from '../../src/appliance/wire/codec.js';
import { daemon1_48, newestDaemon } from '../../src/appliance/wire/compat.js';
import { internalProcedures, wireAction } from '../../src/appliance/wire/procedures.js';
import * as protocol from '../../src/appliance/wire/protocol.js';
import { failureOf } from '../../src/appliance/wire/protocol.js';
import { isErrnoName } from '../../src/base/index.js';
import { needsFacts, readFacts } from '../support/facts.js';

interface Piece {
  name: string;
  xdr: string;
  optargBit?: number;
  struct?: string;
  structList?: string;
  hashtable?: boolean;
}
interface Procedure {
  name: string;
  procNr: number;
  args: Piece[];
  ret: Piece[];
  fileIn: string[];
  fileOut: string[];
  optargsMask: string;
}
interface Protocol {
  constants: Record<string, number>;
  apiStructs: Record<string, Piece[]>;
  errnoNames: string[];
  actions: Procedure[];
  compat: Record<
    string,
    {
      GUESTFS_MAX_PROC_NR: number;
      procsOnlyIn1_48_6: { name: string; procNr: number; args: Piece[]; ret: Piece[] }[];
      procsOnlyInHead: { name: string; procNr: number }[];
      changed: { name: string; appendedInHead: Piece[] }[];
    }
  >;
}

const facts = needsFacts('api/protocol.json');
const read = (): Protocol => readFacts<Protocol>('api/protocol.json');

const xdrOfArgument: Record<string, string> = {
  optString: 'guestfs_str *',
  stringList: 'guestfs_str<>',
  deviceList: 'guestfs_str<>',
  pathnameList: 'guestfs_str<>',
  filenameList: 'guestfs_str<>',
  int: 'int',
  int64: 'int64_t',
  bits64: 'int64_t',
  bool: 'bool',
  bufferIn: 'opaque<>',
};
const xdrOfField: Record<string, string> = {
  uuid: 'opaque[32]',
  char: 'char',
  buffer: 'opaque<>',
  bytes: 'int64_t',
  int32: 'int',
  uint32: 'unsigned int',
  int64: 'int64_t',
  uint64: 'uint64_t',
  bits64: 'int64_t',
  optPercent: 'float',
};
const isFile = (type: string): boolean => type === 'fileIn' || type === 'fileOut';

/** How our tables say that a procedure's arguments lie on the wire. */
function argumentPieces(action: WireAction): Piece[] {
  const required = action.args
    .filter(({ type }) => !isFile(type))
    .map(({ name, type }) => ({ name, xdr: xdrOfArgument[type] ?? 'string<>' }));
  const optional = Object.entries(action.options ?? {}).map(([name, { type }], optargBit) => ({
    name,
    xdr: xdrOfArgument[type] ?? 'string<>',
    optargBit,
  }));
  return [...required, ...optional];
}

function resultPieces({ result }: WireAction): Omit<Piece, 'name'>[] {
  switch (result.type) {
    case 'none':
      return [];
    case 'struct':
      return [{ xdr: `guestfs_int_${result.struct}`, struct: result.struct }];
    case 'structList':
      return [{ xdr: `guestfs_int_${result.struct}_list`, structList: result.struct }];
    case 'hashtable':
      return [{ xdr: 'guestfs_str<>', hashtable: true }];
    case 'buffer':
      return [{ xdr: 'opaque<>' }];
    default:
      return [{ xdr: xdrOfArgument[result.type] ?? 'string<>' }];
  }
}

const nameless = ({ name: _, ...piece }: Piece): Omit<Piece, 'name'> => piece;

test('every procedure has its number, arguments and result', facts, () => {
  for (const fact of read().actions) {
    const action = wireAction(fact.name);
    assert.ok(action, fact.name);
    assert.equal(action.proc, fact.procNr, fact.name);
    assert.deepEqual(argumentPieces(action), fact.args, fact.name);
    assert.deepEqual(resultPieces(action), fact.ret.map(nameless), fact.name);
    for (const kind of ['fileIn', 'fileOut'] as const)
      assert.deepEqual(
        action.args.filter(({ type }) => type === kind).map(({ name }) => name),
        fact[kind],
        fact.name,
      );
    const options = Object.keys(action.options ?? {}).length;
    assert.equal(BigInt(fact.optargsMask), (1n << BigInt(options)) - 1n, fact.name);
  }
});

test('no procedure is ours alone but what older daemons had', facts, () => {
  const { actions: known, compat } = read();
  const names = new Set(known.map(({ name }) => name));
  const old = compat['1.48.6'];
  assert.ok(old);
  const mine = [
    ...actionNames.filter((name) => actions[name].proc !== undefined),
    ...Object.keys(internalProcedures),
  ];
  assert.deepEqual(
    mine.filter((name) => !names.has(name)),
    old.procsOnlyIn1_48_6.map(({ name }) => name),
  );
  assert.equal(new Set(mine).size, names.size + old.procsOnlyIn1_48_6.length);
  for (const fact of old.procsOnlyIn1_48_6) {
    const action = wireAction(fact.name);
    assert.ok(action);
    assert.equal(action.proc, fact.procNr);
    assert.deepEqual(argumentPieces(action), fact.args);
    assert.deepEqual(
      resultPieces(action).map(({ xdr }) => xdr),
      fact.ret.map(({ xdr }) => xdr),
    );
  }
});

test('no procedure has two files, nor a result beside a file that comes out', facts, () => {
  for (const { name, fileIn, fileOut, ret } of read().actions) {
    assert.ok(fileIn.length + fileOut.length <= 1, name);
    assert.ok(fileOut.length === 0 || ret.length === 0, name);
  }
});

test('every struct has its fields on the wire', facts, () => {
  const { apiStructs } = read();
  for (const [name, fields] of Object.entries(structs)) {
    const fact = apiStructs[`guestfs_int_${name}`];
    // Some structs are only made by the library.
    if (fact === undefined) continue;
    assert.deepEqual(
      Object.entries(fields).map(([field, type]) => ({ name: field, xdr: xdrOfField[type] ?? 'string<>' })),
      fact.map(({ name: field, xdr }) => ({ name: field, xdr })),
      name,
    );
    assert.ok(structKind(name).shortest >= 4 * fact.length, name);
  }
});

test('the constants are those of the protocol', facts, () => {
  const { constants } = read();
  assert.deepEqual(
    {
      GUESTFS_PROGRAM: protocol.program,
      GUESTFS_PROTOCOL_VERSION: protocol.protocolVersion,
      GUESTFS_LAUNCH_FLAG: protocol.flags.launch,
      GUESTFS_CANCEL_FLAG: protocol.flags.cancel,
      GUESTFS_PROGRESS_FLAG: protocol.flags.progress,
      GUESTFS_MESSAGE_MAX: protocol.longestMessage,
      GUESTFS_ERROR_LEN: protocol.longestError,
      GUESTFS_MAX_CHUNK_SIZE: protocol.longestChunk,
      GUESTFS_MAX_PROC_NR: newestDaemon.lastProcedure,
      ERRNO_STRING_MAX: protocol.longestErrnoName,
      PROGRESS_MESSAGE_SIZE: protocol.progressLength,
      MESSAGE_HEADER_SIZE: protocol.headerLength,
      LIBRARY_INITIAL_SERIAL: firstSerial,
    },
    constants,
  );
});

test('what Debian 12 has differs as is known', facts, () => {
  const old = read().compat['1.48.6'];
  assert.ok(old);
  assert.equal(daemon1_48.lastProcedure, old.GUESTFS_MAX_PROC_NR);
  for (const { name, procNr } of old.procsOnlyInHead) {
    assert.equal(wireAction(name)?.proc, procNr);
    assert.ok(procNr > daemon1_48.lastProcedure);
  }
  assert.deepEqual(
    daemon1_48.lackedOptions,
    Object.fromEntries(
      old.changed.map(({ name, appendedInHead }) => [name, appendedInHead.map((o) => o.name)]),
    ),
  );
  for (const [name, lacked] of Object.entries(daemon1_48.lackedOptions))
    assert.deepEqual(Object.keys(wireAction(name)?.options ?? {}).slice(-lacked.length), lacked);
});

test('every errno that the daemon can name has its code', facts, () => {
  for (const name of read().errnoNames) {
    const { code } = failureOf({ errnoName: name, text: 'x' });
    if (name === 'EDEADLOCK') assert.equal(code, 'EDEADLK');
    // The last of the list is a mark of its end, and no error.
    else if (name === 'EZZZ') assert.equal(code, 'EINVAL');
    else {
      assert.ok(isErrnoName(name), name);
      assert.equal(code, name);
    }
  }
  assert.equal(failureOf({ errnoName: '', text: 'x' }).code, 'EIO');
});
