/** Kinds that no tool here makes: superblocks written by hand from their specifications, which blkid then judges. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { identityOf, namesOf, recognise } from '../../../src/engine/session/recognition.js';
import { needs } from '../../support/tools.js';
import { asBlkid, askBlkid } from '../support/blkid.js';
import { fileSystemKinds } from './invented-filesystems.js';
import type { Invented } from './invention.js';
import { imageOf } from './invention.js';
import { storageKinds } from './inventions.js';

const kinds: readonly Invented[] = [...fileSystemKinds, ...storageKinds];

const withUsage = (told: Readonly<Record<string, string>> | undefined) =>
  told && { USAGE: 'filesystem', ...told };

describe('superblocks by the specifications are recognised', () => {
  for (const kind of kinds) {
    test(kind.name, () => {
      const recognition = recognise(new MemoryDisk(imageOf(kind)));
      assert.ok(recognition.seen.length <= 1, namesOf(recognition));
      assert.deepEqual(asBlkid(identityOf(recognition)), withUsage(kind.expected));
    });
  }
});

describe('blkid agrees', () => {
  for (const kind of kinds.filter(({ unlike }) => !unlike)) {
    test(kind.name, needs('blkid'), () =>
      assert.deepEqual(askBlkid(imageOf(kind)), withUsage(kind.expected)),
    );
  }
});
