/**
 * Scenarios: calls as data. Each runs on the direct backend, and those that only read on the embedded one; and it ran
 * once through the real libguestfs (oracle.py), whose answers are kept beside the scenarios. All must say the same of
 * every step.
 */
import type { ActionName } from '../../src/api/index.js';

/** Stands for a fileOut argument: what is written there is the step's answer. */
export const out = { out: true } as const;
/** Stands for a host directory: what is in it afterwards is the step's answer. */
export const outDirectory = { outDirectory: true } as const;

/** Stands for a host path that lasts as long as its scenario: written by one step, read by another. */
export const kept = (name: string) => ({ kept: name }) as const;
/** Stands for a host file with these contents. */
export const hostFile = (contents: string | Uint8Array) =>
  ({ hostFile: Buffer.from(contents as Uint8Array).toString('base64') }) as const;
/** Stands for bytes that are no text. */
export const bytes = (...values: number[]) => ({ bytes: Buffer.from(values).toString('base64') }) as const;

/** One call: the action, its arguments in order, then an object of options where there are any. */
export type Step = readonly [action: ActionName, ...args: unknown[]];

export interface Scenario {
  readonly name: string;
  /** What is mounted on `/` before the first step: read-only, but in a suite that writes. */
  readonly mounted?: string;
  readonly steps: readonly Step[];
}

/** The same action for several arguments. */
export function each(action: ActionName, ...argumentLists: readonly unknown[]): Step[] {
  return argumentLists.map((args) => [action, ...(Array.isArray(args) ? args : [args])] as Step);
}

/** A scenario on the ext4 drive. */
export function onExt4(name: string, ...steps: readonly Step[]): Scenario {
  return { name, mounted: '/dev/sda', steps };
}

/** The drives of a launch, in order: fixtures by name, or a blank one by its size. */
export interface Drive {
  readonly fixture?: string;
  readonly sample?: string;
  readonly blankSizeInBytes?: number;
  /** The logical sector in bytes; 512 by default. */
  readonly blocksize?: 512 | 4096;
  readonly format: 'raw' | 'qcow2';
  readonly label?: string;
}

export interface Suite {
  readonly name: string;
  /** The drives are written to, and each scenario starts with neither mounts nor volumes. */
  readonly writes?: true;
  /** All of it is done by the engine too, though it writes. */
  readonly embedded?: true;
  readonly drives: readonly Drive[];
  readonly scenarios: readonly Scenario[];
}
