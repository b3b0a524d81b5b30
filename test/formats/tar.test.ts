/** Records of tar archives that are not what they say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf } from '../../src/base/index.js';
import { tarFiles } from '../../src/formats/index.js';
import { archive } from '../support/tar-archive.js';

const good = archive({ name: 'f', text: 'contents', records: { 'GNU.sparse.x': '1' } });
const record = '18 GNU.sparse.x=1\n';
const at = good.indexOf(record);

/** The archive with other bytes in the place of its record, whose end they may leave as it is. */
function withRecord(text: string): Buffer {
  const bytes = Buffer.from(good);
  bytes.fill(0, at, at + record.length);
  bytes.write(text, at);
  return bytes;
}

test('a record that is none is an error: without a blank, of another length, without a name or an end', () => {
  assert.notEqual(at, -1);
  assert.deepEqual([...tarFiles(sourceOf(good))].length, 1);
  for (const text of [
    '18GNU.sparse.x==1\n',
    '9 a=bcd\n0c=d\n',
    '0 GNU.sparse.x=1\n',
    '2 GNU.sparse.x=1\n',
    '99999999 sparse=1\n',
    '18 GNU.sparse.x.1\n',
    '18 GNU.sparse.x=1.',
    ' GNU.sparse.x=123\n',
  ])
    assert.throws(() => [...tarFiles(sourceOf(withRecord(text)))], { code: 'EIO' }, JSON.stringify(text));
});
