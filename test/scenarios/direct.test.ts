/**
 * The scenarios that only read, on the direct backend, against what the real libguestfs answered with the same daemon;
 * of steps that ask the same of device after device two (repeats.ts). Those that write are a file of their own, which
 * runs beside this one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Action, type ActionName, actionNames, actions } from '../../src/api/index.js';
import { daemon1_48 } from '../../src/appliance/wire/compat.js';
import { directHandle, needsAppliance } from '../support/appliance.js';
import { testSuite } from './agreement.js';
import { staleSteps } from './difference.js';
import { directDifferences } from './direct-differences.js';
import { stepsWithoutRepeats } from './repeats.js';
import { suites } from './suites.js';

for (const suite of suites.filter(({ writes }) => writes !== true)) {
  testSuite(suite, {
    name: 'direct',
    handle: directHandle,
    differences: directDifferences,
    needs: needsAppliance(),
    steps: stepsWithoutRepeats,
  });
}

test('every known difference of the direct backend is of a step that there is', () => {
  assert.deepEqual(staleSteps(directDifferences, suites), []);
});

/** Actions of the daemon that are in no scenario, and why. */
const apart: Readonly<Partial<Record<ActionName, string>>> = {
  available_all_groups: 'what is installed: upstream’s cases have it',
  dmesg: 'the kernel’s own words',
  utsname: 'the kernel’s own version',
  internal_exit: 'ends the daemon',
  filesystem_walk: 'tells the time of day',
  ...Object.fromEntries(
    ['xfs_info', 'xfs_growfs', 'xfs_admin', 'xfs_repair'].map((name) => [name, 'needs libguestfs-xfs']),
  ),
  ...Object.fromEntries(['rsync', 'rsync_in', 'rsync_out'].map((name) => [name, 'needs libguestfs-rsync'])),
};

test('every action of the daemon is in a scenario, but for those with a reason', () => {
  const inScenarios = new Set(
    suites.flatMap(({ scenarios }) => scenarios.flatMap(({ steps }) => steps.map(([action]) => action))),
  );
  const procedures = actionNames.filter((name) => {
    const { proc }: Action = actions[name];
    return proc !== undefined && proc <= daemon1_48.lastProcedure;
  });
  assert.deepEqual(
    procedures.filter((name) => inScenarios.has(name) === Object.hasOwn(apart, name)),
    [],
  );
});
