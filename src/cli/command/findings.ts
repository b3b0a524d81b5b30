/**
 * Results of the checks of this machine as lines for people: name, status, detail and remedy, folded for 80 columns.
 */
import type { CheckResult } from '../../guestfs/index.js';
import type { Paint } from '../terminal/colors.js';
import { fold } from '../terminal/fold.js';
import { visible } from '../terminal/visible.js';
import { padEnd } from '../terminal/width.js';

const nameWidth = 16;
const statusWidth = 8;

const marks = {
  ok: ['green', 'ok'],
  limited: ['yellow', 'limited'],
  missing: ['red', 'MISSING'],
  failed: ['red', 'FAILED'],
} as const;

/** What a line of details begins with. */
const detailIndent = ' '.repeat(2 + nameWidth + 1 + statusWidth + 1);

function findingLines({ name, status, detail, remedy }: CheckResult, paint: Paint): string[] {
  const [color, word] = marks[status];
  const head = `  ${padEnd(name, nameWidth)} ${padEnd(word, statusWidth)} `;
  const [first = '', ...others] = fold(visible(detail), detailIndent, head);
  // Colours are added after folding, because their codes have no width.
  const painted = first.replace(head, head.replace(word, paint(color, word)));
  return [
    painted,
    ...others,
    ...(remedy === undefined ? [] : fold(visible(remedy), detailIndent, `${detailIndent}hint: `)),
  ];
}

export function findingsLines(findings: readonly CheckResult[], paint: Paint): string[] {
  return findings.flatMap((finding) => findingLines(finding, paint));
}

/** `reads …` and `not …`, folded under their name. */
export function readsLines(name: string, reads: readonly string[], doesNotRead: readonly string[]): string[] {
  const indent = ' '.repeat(2 + nameWidth + 1);
  const lines = fold(
    `reads ${reads.length > 0 ? reads.join(', ') : 'none'}`,
    indent,
    `  ${padEnd(name, nameWidth)} `,
  );
  if (doesNotRead.length > 0) lines.push(...fold(`not ${doesNotRead.join(', ')}`, indent));
  return lines;
}

/** Whether none of these results keeps the backend from working. */
export function allows(findings: readonly CheckResult[]): boolean {
  return findings.every(({ status }) => status === 'ok' || status === 'limited');
}
