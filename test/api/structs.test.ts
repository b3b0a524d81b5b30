/** Structs and events are those of libguestfs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  actionNames,
  actions,
  allEvents,
  camelCase,
  events,
  eventToString,
  maxEventCallbacks,
  structs,
} from '../../src/api/index.js';
import { needsFacts, readFacts } from '../support/facts.js';

interface FactStruct {
  name: string;
  columns: { name: string; type: string }[];
}
interface FactEvents {
  events: {
    name: string;
    value: number;
    payload: string;
    array?: string[];
    defaultOutput: null | {
      stderr: boolean;
      onlyIfVerbose: boolean;
      prefix: string;
      identifierPrefix?: boolean;
      newline: boolean;
    };
  }[];
  allBitmask: number;
  maxHandlers: number;
}

test(
  'every struct has the fields of libguestfs, in the order of the wire',
  needsFacts('api/structs.json'),
  () => {
    const facts = readFacts<FactStruct[]>('api/structs.json');
    assert.deepEqual(
      Object.keys(structs),
      facts.map((fact) => fact.name),
    );
    for (const [index, fields] of Object.values(structs).entries()) {
      const fact = facts[index];
      assert.ok(fact);
      // The identity of a filesystem is 64 bits of a hash, of which no number could hold all.
      const expected = fact.columns.map(({ name, type }) => [
        name,
        fact.name === 'statvfs' && name === 'fsid' ? 'bits64' : type,
      ]);
      assert.deepEqual(Object.entries(fields), expected, fact.name);
    }
  },
);

test('every struct that an action gives is known', () => {
  for (const name of actionNames) {
    const { result } = actions[name];
    if (result.type === 'struct' || result.type === 'structList')
      assert.ok(Object.hasOwn(structs, result.struct), `${name}: ${result.struct}`);
  }
});

test('the fields of a struct keep distinct names in camel case', () => {
  for (const [name, fields] of Object.entries(structs)) {
    const names = Object.keys(fields).map((field) => camelCase(field));
    assert.equal(new Set(names).size, names.length, name);
  }
  assert.deepEqual(['part_num', 'app2_name', 'st_mtime_sec', 'ino'].map(camelCase), [
    'partNum',
    'app2Name',
    'stMtimeSec',
    'ino',
  ]);
});

test(
  'the events have the names, masks, payloads and default outputs of libguestfs',
  needsFacts('api/events.json'),
  () => {
    const facts = readFacts<FactEvents>('api/events.json');
    const expected = facts.events.map(({ name, value, payload, defaultOutput }) => ({
      key: camelCase(name),
      cName: name,
      mask: value,
      payload,
      output: defaultOutput && {
        verbose: defaultOutput.onlyIfVerbose,
        prefix: defaultOutput.prefix,
        identifier: defaultOutput.identifierPrefix ?? false,
        line: defaultOutput.newline,
      },
    }));
    const actual = Object.entries(events).map(([key, event]) => {
      const output = 'output' in event ? event.output : null;
      return {
        key,
        cName: event.cName,
        mask: event.mask,
        payload: event.payload,
        output: output && {
          verbose: 'verbose' in output,
          prefix: output.prefix,
          identifier: 'identifier' in output,
          line: 'line' in output,
        },
      };
    });
    assert.deepEqual(actual, expected);
    assert.equal(allEvents, facts.allBitmask);
    assert.equal(maxEventCallbacks, facts.maxHandlers);
    assert.deepEqual(facts.events.find((event) => event.payload === 'array')?.array, [
      'proc_nr',
      'serial',
      'position',
      'total',
    ]);
  },
);

test('a mask of events is written as their names', () => {
  assert.equal(eventToString(0), '');
  assert.equal(eventToString(events.close.mask), 'close');
  assert.equal(eventToString(events.progress.mask | events.subprocessQuit.mask), 'subprocess_quit,progress');
  assert.equal(eventToString(allEvents).split(',').length, 10);
});
