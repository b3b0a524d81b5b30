/** Every procedure has a wire form: what is given to it and what it gives are the same after the way there and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Action,
  type ArgumentType,
  actionNames,
  actions,
  camelCase,
  type FieldType,
  type OptionType,
  type Result,
  type StructTable,
  structs,
} from '../../src/api/index.js';
import {
  decodeArguments,
  decodeResult,
  encodeArguments,
  encodeResult,
  type WireAction,
} from '../../src/appliance/wire/codec.js';
import { internalProcedures } from '../../src/appliance/wire/procedures.js';
import { XdrReader, XdrWriter } from '../../src/appliance/wire/xdr.js';

const text = 'caf\udce9 /dev/sda1 €';
const texts = [text, '', 'x'];
const large = -(2 ** 53 - 1);

/** One value of each kind, at a border where it has one. Files are not on the wire. */
const argumentSamples = {
  string: text,
  optString: null,
  stringList: texts,
  deviceList: ['/dev/sda', '/dev/sdb'],
  pathnameList: ['/'],
  filenameList: [],
  device: '/dev/sda',
  pathname: `/${text}`,
  mountable: 'btrfsvol:/dev/sda1/x',
  devOrPathname: '/',
  mountableOrPathname: '/',
  guid: '0fc63daf-8483-4772-8e79-3d69d8477de4',
  key: 'secret',
  int: -(2 ** 31),
  int64: large,
  bits64: 1n << 63n,
  bool: true,
  bufferIn: Buffer.of(0, 255, 10),
  hostPath: '/x',
  optHostPath: null,
  fileIn: undefined,
  fileOut: undefined,
  pointer: undefined,
} as const satisfies Readonly<Record<ArgumentType, unknown>>;

const optionSamples = {
  bool: true,
  int: 2 ** 31 - 1,
  int64: large,
  string: text,
  stringList: texts,
} as const satisfies Readonly<Record<OptionType, unknown>>;

const fieldSamples = {
  string: text,
  device: '/dev/sda',
  uuid: 'abcdefghijklmnopqrstuvwxyz012345',
  char: 'd',
  buffer: Buffer.of(0, 1, 255),
  bytes: 2 ** 53 - 1,
  int32: -(2 ** 31),
  uint32: 2 ** 32 - 1,
  int64: large,
  uint64: 2 ** 53 - 1,
  bits64: (1n << 64n) - 1n,
  optPercent: 12.5,
} as const satisfies Readonly<Record<FieldType, unknown>>;

function structSample(name: string): Record<string, unknown> {
  const table: StructTable = structs[name as keyof typeof structs];
  return Object.fromEntries(
    Object.entries(table).map(([field, type]) => [camelCase(field), fieldSamples[type]]),
  );
}

function resultSample(result: Result): unknown {
  switch (result.type) {
    case 'none':
      return undefined;
    case 'bool':
      return true;
    case 'int':
      return 2 ** 31 - 1;
    case 'int64':
      return large;
    case 'bits64':
      return 1n << 63n;
    case 'string':
      return text;
    case 'optString':
      return null;
    case 'buffer':
      return Buffer.of(0, 255);
    case 'stringList':
      return texts;
    case 'hashtable':
      return new Map([
        ['__proto__', text],
        ['', 'x'],
      ]);
    case 'struct':
      return structSample(result.struct);
    case 'structList':
      return [structSample(result.struct), structSample(result.struct)];
  }
}

const procedures = new Map<string, WireAction>([
  ...actionNames.flatMap((name) => {
    const action: Action = actions[name];
    return action.proc === undefined ? [] : [[name, action as WireAction] as const];
  }),
  ...Object.entries(internalProcedures),
]);

test('the arguments of every procedure are the same after their way there and back', () => {
  for (const [name, action] of procedures) {
    const args = action.args.map(({ type }) => argumentSamples[type]);
    const given = Object.entries(action.options ?? {});
    for (const some of [given, given.filter((_, index) => index % 2 === 1), []]) {
      const options = Object.fromEntries(some.map(([option, { type }]) => [option, optionSamples[type]]));
      const writer = new XdrWriter();
      const mask = encodeArguments(writer, action, args, options);
      const back = decodeArguments(new XdrReader(writer.finish()), action, mask);
      assert.deepEqual(back, { args, options }, name);
    }
  }
});

test('the result of every procedure is the same after its way there and back', () => {
  for (const [name, action] of procedures) {
    const value = resultSample(action.result);
    const writer = new XdrWriter();
    encodeResult(writer, action, value);
    assert.deepEqual(decodeResult(new XdrReader(writer.finish()), action), value, name);
  }
});
