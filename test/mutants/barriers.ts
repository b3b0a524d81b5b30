/** Of each barrier in the sources that write to disks a mutant without it: whoever adds a barrier need not list it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hunt, Mutant } from './mutant.js';

/** A barrier that no crash misses where it alone is left out. */
export interface Harmless {
  /** The line of the barrier, or where that is not the only one, more of what is before it. */
  readonly text: string;
  readonly why: string;
}

/** The barriers of one file. */
export interface BarrierFile {
  readonly file: string;
  readonly hunts: readonly Hunt[];
  readonly harmless?: readonly Harmless[];
}

const barrier = /[\w.#]+\.(?:flush|barrier)\(\)/;

/** The mutants of a file, and its barriers that are left alone. */
export function barriersOf({ file, hunts, harmless = [] }: BarrierFile): {
  readonly mutants: readonly Mutant[];
  readonly left: readonly Harmless[];
} {
  const source = readFileSync(join('src', file), 'utf8');
  const lines = source.split('\n');
  const mutants: Mutant[] = [];
  const left: Harmless[] = [];
  for (const [index, line] of lines.entries()) {
    if (!barrier.test(line) || /^\s*(?:\/?\*|\/\/)/.test(line)) continue;
    // As many of the lines before as make the text the only one.
    let from = index;
    let original = line;
    while (source.split(original).length > 2) {
      from--;
      assert.ok(from >= 0, `${file}: ${line}`);
      original = `${lines[from]}\n${original}`;
    }
    const before = original.slice(0, original.length - line.length);
    const known = harmless.find(({ text }) =>
      lines
        .slice(0, index + 1)
        .join('\n')
        .endsWith(text),
    );
    if (known !== undefined) {
      left.push(known);
      continue;
    }
    const error = `no barrier in ${file}:${index + 1}`;
    mutants.push({ error, file, original, planted: before + line.replace(barrier, 'void 0'), hunts });
  }
  return { mutants, left };
}
