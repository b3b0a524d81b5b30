/** What is installed in an operating system. It is loaded alone, as an inspection need not tell it. */
export { installedHandlers } from '../actions/installed.js';
