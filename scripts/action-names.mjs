// Writes src/api/names.ts, the names of the actions, which programs want without the tables. To be run after an action
// was added, renamed or moved; a test says so.
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: ['src/api/actions.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
});
const { topics } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);

/** A text over several lines, and its words. */
const linesOf = (words) => {
  const lines = [''];
  for (const word of words) {
    if (lines.at(-1).length + word.length > 100) lines.push('');
    lines.push(`${lines.pop()}${word} `);
  }
  return lines.map((line) => `    '${line}'`).join(' +\n');
};
const all = Object.values(topics).flatMap(({ actions }) => Object.entries(actions));
const withOpts = all.filter(([, { aliases }]) => aliases?.some((alias) => alias.endsWith('-opts')));
const entries = Object.entries(topics).map(
  ([topic, { actions }]) => `  ${topic}:\n${linesOf(Object.keys(actions))},`,
);
writeFileSync(
  'src/api/names.ts',
  `/** The names of all actions, by topic: whole tables take milliseconds. Written by \`npm run action-names\`. */
export const namesByTopic = {
${entries.join('\n')}
} as const;

/** The actions that once had no optional arguments, and have a second name. */
export const namesWithOpts =
${linesOf(withOpts.map(([name]) => name))};
`,
);
