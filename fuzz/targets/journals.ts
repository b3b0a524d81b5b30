/** Journals of systemd: their entries in order, and the fields of each. */
import { sourceOf } from '../../src/base/index.js';
import { JournalFile, JournalReader, lz4Payload } from '../../src/formats/index.js';
import { journalFields } from '../fields.js';
import { part, type Target } from '../target.js';
import { noteRead } from '../trace.js';

const journal: Target = {
  name: 'journal',
  fixtures: ['journal/xz.journal.gz', 'journal/lz4.journal.gz'],
  fields: journalFields,
  run(bytes) {
    const source = sourceOf(bytes);
    const file = new JournalFile({
      size: source.size,
      read(into, offset) {
        noteRead(offset, into.length);
        source.read(into, offset);
      },
    });
    const journal = new JournalReader([file, file], () => {});
    for (const direction of [1, -1] as const)
      while (journal.step(direction))
        part(() => {
          for (const { payload, compression } of journal.fields() ?? [])
            if (compression === 'lz4') lz4Payload(payload);
        });
  },
};

export const journalTargets: readonly Target[] = [journal];
