/** What Windows says of installed programs, beyond what a package manager says of packages. */

/** What only Windows tells of an application. Facts that it does not tell are empty. */
export interface InstalledProgram {
  /** In the guest's language. */
  readonly displayName: string;
  readonly installPath: string;
  readonly publisher: string;
}

/**
 * The keys of the SOFTWARE hive where uninstallers are: of native programs, and of 32-bit programs on a 64-bit system.
 */
export const uninstallKeys: readonly (readonly string[])[] = [
  ['Microsoft', 'Windows', 'CurrentVersion', 'Uninstall'],
  ['WOW6432node', 'Microsoft', 'Windows', 'CurrentVersion', 'Uninstall'],
];

/** Names of programs against malware, as libguestfs knows them by. */
const antivirusNames = /virus|kaspersky|mcafee|norton|sophos/i;
const antivirusPublishers = /avg technologies/i;

/** The class of a program: `antivirus`, or empty. */
export function programClass(name: string, { displayName, publisher }: InstalledProgram): string {
  return [name, displayName].some((each) => antivirusNames.test(each)) || antivirusPublishers.test(publisher)
    ? 'antivirus'
    : '';
}
