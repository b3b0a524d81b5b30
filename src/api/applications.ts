/** An installed package in two forms: of `inspect_list_applications` and of its successor. */
import { type Application, programClass } from '../formats/index.js';
import type { Structs } from './structs.js';

/** A package as `inspect_list_applications2` gives it. */
export function application2Struct(application: Application): Structs['application2'] {
  const { name, program } = application;
  return {
    app2Name: name,
    app2DisplayName: program?.displayName ?? '',
    app2Epoch: application.epoch,
    app2Version: application.version,
    app2Release: application.release,
    app2Arch: application.arch,
    app2InstallPath: program?.installPath ?? '',
    app2TransPath: '',
    app2Publisher: program?.publisher ?? '',
    app2Url: application.url,
    app2SourcePackage: application.sourcePackage,
    app2Summary: application.summary,
    app2Description: application.description,
    app2Class: program === undefined ? '' : programClass(name, program),
    app2Spare2: '',
    app2Spare3: '',
    app2Spare4: '',
  };
}

/** The same in the older shape, which has no architecture. */
export function applicationStruct(application: Structs['application2']): Structs['application'] {
  return {
    appName: application.app2Name,
    appDisplayName: application.app2DisplayName,
    appEpoch: application.app2Epoch,
    appVersion: application.app2Version,
    appRelease: application.app2Release,
    appInstallPath: application.app2InstallPath,
    appTransPath: application.app2TransPath,
    appPublisher: application.app2Publisher,
    appUrl: application.app2Url,
    appSourcePackage: application.app2SourcePackage,
    appSummary: application.app2Summary,
    appDescription: application.app2Description,
  };
}
