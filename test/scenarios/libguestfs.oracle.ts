/** The kept answers to the scenarios, against the libguestfs that is installed: what they are worth. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDifference } from './difference.js';
import { directDifferences } from './direct-differences.js';
import { embeddedDifferences } from './embedded-differences.js';
import { askLibguestfs, keptAnswers, needsLibguestfs } from './oracle.js';
import { agrees } from './outcome.js';
import { withDriveFiles } from './reading/drives.js';
import { suites } from './suites.js';

const differences = [...embeddedDifferences, ...directDifferences];

for (const suite of suites) {
  test(
    `the kept answers on ${suite.name} are those of the libguestfs at hand`,
    needsLibguestfs(),
    async () => {
      const kept = keptAnswers(suite);
      const live = await withDriveFiles(suite, (files) => askLibguestfs(files, suite));
      const changed = suite.scenarios.flatMap((scenario, index) =>
        kept(scenario).flatMap((answer, number) => {
          const now = live[index]?.[number];
          const step = scenario.steps[number];
          // Some of these are never the same twice.
          if (step && findDifference(differences, scenario.name, step)) return [];
          return now && step && agrees(step, now, answer) ? [] : [`${scenario.name}, step ${number}`];
        }),
      );
      assert.deepEqual(changed, []);
    },
  );
}
