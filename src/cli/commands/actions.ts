/** `guestfs actions`: the actions of the API, by topic. */
import { type ActionName, shellName, actions as table, topics } from '../../api/index.js';
import { changesDisks, needsAppliance } from '../../guestfs/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Command } from '../command/invocation.js';
import { fold } from '../terminal/fold.js';
import { padEnd } from '../terminal/width.js';

/** Names are padded to this width; few are longer. */
const nameWidth = 26;

export const actions: Command = {
  options: { json: { type: 'flag' } },
  async run({ operands, options, out, paint }) {
    if (operands.length > 1) throw usageFailure(`'${operands[1]}' is too much`, 'give one word');
    const word = operands[0]?.toLowerCase().replaceAll('_', '-') ?? '';
    const found = Object.values(topics).flatMap((topic) => {
      const names = (Object.keys(topic.actions) as ActionName[]).filter((name) => {
        const { visibility, short } = table[name] as { visibility?: string; short: string };
        if (visibility === 'debug') return false;
        return shellName(name).toLowerCase().includes(word) || short.toLowerCase().includes(word);
      });
      return names.length === 0 ? [] : [{ title: topic.title, names }];
    });
    if (found.length === 0)
      throw new Failure(
        `no action has '${operands[0]}' in its name or description`,
        exitStatus.notFound,
        'guestfs actions lists all',
      );
    if (options.flag('json')) {
      const list = found.flatMap(({ title, names }) =>
        names.map((name) => ({
          name: shellName(name),
          topic: title,
          short: table[name].short,
          needsAppliance: needsAppliance(name),
          changesDisks: changesDisks(name),
        })),
      );
      return await out.write(`${JSON.stringify(list, null, 2)}\n`);
    }
    const indent = ' '.repeat(nameWidth + 4);
    const entryLines = (name: ActionName): string[] => {
      const marks = (needsAppliance(name) ? '*' : ' ') + (changesDisks(name) ? '+' : ' ');
      const start = `${marks} ${padEnd(shellName(name), nameWidth)} `;
      const { short } = table[name];
      return out.isTerminal ? fold(short, indent, start) : [start + short];
    };
    const lines = found.flatMap(({ title, names }, index) => [
      ...(index > 0 ? [''] : []),
      paint('bold', title),
      ...names.flatMap(entryLines),
    ]);
    const isAny = (what: (name: ActionName) => boolean): boolean =>
      found.some(({ names }) => names.some(what));
    const legend = [
      ...(isAny(needsAppliance) ? ['* needs the appliance, which is booted for it'] : []),
      ...(isAny(changesDisks) ? ['+ changes what is on disks, which takes --rw'] : []),
    ];
    if (legend.length > 0) lines.push('', ...legend);
    await out.lines(lines);
  },
};
