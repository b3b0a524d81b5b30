/** About the engine itself. */
import type { Scenario } from '../scenario.js';

export const sessionScenarios: readonly Scenario[] = [
  {
    name: 'it answers',
    steps: [
      ['ping_daemon'],
      ['echo_daemon', ['a', 'b c', '']],
      ['echo_daemon', []],
      ['sleep', 0],
      ['lvm_remove_all'],
    ],
  },
  {
    name: 'its own workings',
    steps: [
      ['debug', 'help', []],
      ['debug', 'nonsense', []],
      ['debug', 'progress', ['nonsense']],
    ],
  },
];
