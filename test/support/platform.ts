/** Hands Node over as the platform of a thread that tests the rooms below the engine. */
import { usePlatform } from '../../src/disk/index.js';
import { node } from '../../src/platform/index.js';

usePlatform(node);
