/** Changes of partition tables, and new ones, on a disk that loses power. */
import {
  gpt,
  gptChanges,
  makeTable,
  mbr,
  mbrChanges,
  onGpt,
  onMbr,
  replaced,
  survives,
} from '../../partition/crash-model.js';

export function hunt(): string | undefined {
  const works = [
    ...Object.entries(gptChanges).map(([name, work]) => [name, gpt, onGpt(work)] as const),
    ...Object.entries(mbrChanges).map(([name, work]) => [name, mbr, onMbr(work)] as const),
    ...replaced.flatMap(([from, before]) =>
      (['gpt', 'msdos'] as const).map((to) => [`${to} for ${from}`, before, makeTable(to)] as const),
    ),
  ];
  for (const [name, before, work] of works) {
    const [found] = survives(before, work).wrong;
    if (found !== undefined) return `${name}: ${found}`;
  }
  return undefined;
}
