/** `guestfs completion`: the script by which a shell completes the words of a command line. */
import { completionScripts, shells } from '../command/completion-scripts.js';
import { usageFailure } from '../command/failure.js';
import type { Command } from '../command/invocation.js';

export const completion: Command = {
  options: {},
  async run({ operands, out }) {
    const [word, ...more] = operands;
    const shell = shells.find((each) => each === word);
    if (shell === undefined || more.length > 0)
      throw usageFailure(`which shell? There are ${shells.join(', ')}`, 'source <(guestfs completion bash)');
    await out.write(completionScripts[shell]);
  },
};
