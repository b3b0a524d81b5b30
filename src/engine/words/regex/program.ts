/** Expressions as programs of a few instructions, for both matchers: Thompson's construction. */
import { GuestfsError } from '../../../base/index.js';
import type { ByteSet } from './byte-set.js';
import type { Assertion, Node } from './syntax.js';

interface Branch {
  readonly kind: 'jump' | 'fork';
  to: number;
}

/** One instruction. All except jump and match continue with the next one; a fork also continues at `to`. */
export type Instruction =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | Readonly<Branch>
  | { readonly kind: 'open' | 'close' | 'reference'; readonly group: number }
  | { readonly kind: 'match' };

/** The longest program: repetitions are written out, so `(a{1000}){1000}` would be a million instructions. */
const instructionLimit = 100_000;

/** The program of an expression. EINVAL if it is too long; `what` names the expression in the message. */
export function compile(tree: Node, what: string): readonly Instruction[] {
  const instructions: Instruction[] = [];
  const referenced = new Set<number>();
  let work = 0;

  const branch = (kind: 'jump' | 'fork', to = 0): Branch => {
    const made = { kind, to };
    instructions.push(made);
    return made;
  };

  const writeChoice = (parts: readonly Node[]): void => {
    const ends = parts.slice(0, -1).map((part) => {
      const fork = branch('fork');
      write(part);
      const end = branch('jump');
      fork.to = instructions.length;
      return end;
    });
    for (const part of parts.slice(-1)) write(part);
    for (const end of ends) end.to = instructions.length;
  };

  const writeRepeat = (part: Node, low: number, high: number): void => {
    for (let count = 0; count < low; count++) write(part);
    if (high === Number.POSITIVE_INFINITY) {
      const start = instructions.length;
      const fork = branch('fork');
      write(part);
      branch('jump', start);
      fork.to = instructions.length;
      return;
    }
    const forks: Branch[] = [];
    for (let count = low; count < high; count++) {
      forks.push(branch('fork'));
      write(part);
    }
    for (const fork of forks) fork.to = instructions.length;
  };

  const write = (node: Node): void => {
    // Empty parts count as well, because they too can be repeated a million times.
    if (++work > instructionLimit)
      throw new GuestfsError('EINVAL', `${what}: the regular expression is too big`);
    switch (node.kind) {
      case 'set':
      case 'assertion':
        instructions.push(node);
        return;
      case 'reference':
        instructions.push({ kind: 'reference', group: node.number });
        return;
      case 'sequence':
        for (const part of node.parts) write(part);
        return;
      case 'choice':
        return writeChoice(node.parts);
      case 'group': {
        const isKept = referenced.has(node.number);
        if (isKept) instructions.push({ kind: 'open', group: node.number });
        write(node.part);
        if (isKept) instructions.push({ kind: 'close', group: node.number });
        return;
      }
      case 'repeat':
        return writeRepeat(node.part, node.low, node.high);
    }
  };

  findReferences(tree, referenced);
  write(tree);
  instructions.push({ kind: 'match' });
  return instructions;
}

function findReferences(node: Node, into: Set<number>): void {
  if (node.kind === 'reference') into.add(node.number);
  else if ('parts' in node) for (const part of node.parts) findReferences(part, into);
  else if ('part' in node) findReferences(node.part, into);
}
