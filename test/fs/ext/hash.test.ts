/** Name hashes against the numbers that debugfs gives (`dx_hash`). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { hashName } from '../../../src/fs/ext/directory/hash.js';
import { needs, toolEnvironment } from '../../support/tools.js';

const seed = '5eed5eed-0002-4e5f-8a9b-00c0ffee0000';
const versions = { legacy: 0, half_md4: 1, tea: 2 } as const;
const names = [
  'a',
  'lost+found',
  'an-entry-of-a-directory-137',
  'Größe',
  '0'.repeat(255),
  'exactly-16-bytes',
  'x'.repeat(32),
];

/** As debugfs 1.47.0 printed them for `dx_hash -h VERSION -s SEED NAME`: hash, minor hash. */
const recorded: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  legacy: [
    ['0xe74b53e2', '0x00000000'],
    ['0x5e2aba24', '0x00000000'],
    ['0x44b9eeb2', '0x00000000'],
    ['0x97e8484a', '0x00000000'],
    ['0xa86d6072', '0x00000000'],
    ['0xa11b110a', '0x00000000'],
    ['0xccf8e87c', '0x00000000'],
  ],
  half_md4: [
    ['0x2aea547a', '0x237b9569'],
    ['0x9d642956', '0xc4a942c0'],
    ['0xb1ecc2ce', '0xc2bb5ffa'],
    ['0xb704658a', '0xdb6eda2d'],
    ['0xf10f1b18', '0xdf0c9641'],
    ['0x29a1b9a0', '0x6d80dd43'],
    ['0x148413d4', '0x48b62adf'],
  ],
  tea: [
    ['0x8e6fe7d2', '0x8a7e73bf'],
    ['0x5f8a8c90', '0x257986a3'],
    ['0x5a973e10', '0xa9a42a5d'],
    ['0x421b75f6', '0x56b5e9aa'],
    ['0x2cd0be9a', '0x9ed95c7f'],
    ['0x617ac0f8', '0xb52bb830'],
    ['0x29f8fcec', '0x22067ece'],
  ],
};

function hash(name: string, version: number): [string, string] {
  const result = hashName(Buffer.from(name), version, Buffer.from(seed.replaceAll('-', ''), 'hex'));
  assert.ok(result);
  const text = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
  return [text(result.major), text(result.minor)];
}

test('hashes are those that debugfs gave', () => {
  for (const [version, expected] of Object.entries(recorded))
    assert.deepEqual(
      names.map((name) => hash(name, versions[version as keyof typeof versions])),
      expected,
      version,
    );
});

test('names of ASCII hash the same signed and unsigned, others do not', () => {
  for (const version of Object.values(versions)) {
    assert.deepEqual(hash('plain', version), hash('plain', version + 3));
    assert.notDeepEqual(hash('Größe', version), hash('Größe', version + 3));
  }
});

test('a version that needs a key, or that nobody knows, has no hash', () => {
  assert.equal(hashName(Buffer.from('a'), 6, new Uint8Array(16)), undefined);
  assert.equal(hashName(Buffer.from('a'), 255, new Uint8Array(16)), undefined);
});

test('hashes are those that the installed debugfs gives', needs('debugfs'), () => {
  for (const [word, version] of Object.entries(versions))
    for (const name of names) {
      const said = execFileSync('debugfs', ['-R', `dx_hash -h ${word} -s ${seed} ${name}`], {
        env: toolEnvironment,
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString();
      const found = [...said.matchAll(/0x[0-9a-f]+/g)].map(
        ([value]) => `0x${value.slice(2).padStart(8, '0')}`,
      );
      assert.deepEqual(found, hash(name, version), `${word} ${name}`);
    }
});
