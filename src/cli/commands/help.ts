/** `guestfs help`: the help of a command or of an action. */
import { findAction, helpText, nearestName } from '../../api/index.js';
import { changesDisks, needsAppliance } from '../../guestfs/index.js';
import { commandNames, isCommandName } from '../command/command-names.js';
import { usageFailure } from '../command/failure.js';
import { commandHelp, overview } from '../command/help-texts.js';
import type { Command } from '../command/invocation.js';

export const help: Command = {
  options: {},
  async run({ operands, out }) {
    const [word, ...more] = operands;
    if (more.length > 0) throw usageFailure(`'${more[0]}' is too much`, 'one command or action at a time');
    if (word === undefined) return await out.write(overview());
    // Some names are both a command and an action, such as `cat`. The command comes first, since people type it more
    // often; its help names the action.
    if (isCommandName(word)) return await out.write(commandHelp(word));
    const found = findAction(word);
    if (found.name !== undefined) {
      const rw = changesDisks(found.name) ? ' --rw' : '';
      const changes = rw === '' ? '' : '\n\nChanges what is on disks: guestfs call --rw.';
      const where = needsAppliance(found.name)
        ? `\n\nNeeds the appliance, which guestfs call${rw} boots.`
        : changes;
      return await out.write(`${helpText(found.name)}${where}\n`);
    }
    const near = nearestName(word, commandNames) ?? found.nearest;
    throw usageFailure(
      `there is neither a command nor an action '${word}'`,
      near === undefined
        ? 'guestfs --help lists the commands, guestfs actions the actions'
        : `did you mean '${near}'?`,
    );
  },
};
