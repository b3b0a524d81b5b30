import { testConformance } from '../conformance.js';
import { suite } from './suite.js';

testConformance(suite);
