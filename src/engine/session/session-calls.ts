/**
 * The calls that made a session what it is, for another backend that must become the same. A call is kept while its
 * effect lasts: each call decides subjects, until a later call decides the same subjects. The order is that of the
 * calls themselves, since an order that worked once works again.
 */
import type { ActionName, CarriedCall } from '../../api/index.js';
import type { BlockDevice, Mount } from '../../vfs/index.js';

/** What calls change of a session. `seen`: whether the result of an inspection depends on it. */
const facets = {
  /** The devices that are searched for members, and the activation of volumes. Subjects are names. */
  volumes: { seen: true },
  /** Disks inside locked devices. Subjects are the names in /dev/mapper. */
  locks: { seen: true },
  inspection: { seen: false },
  /** Directories of `mkmountpoint`. Subjects are paths. */
  mountpoints: { seen: false },
  mounts: { seen: false },
  /** Mounts that became read-only or writable later. */
  remounts: { seen: false },
  /** Swap areas in use. Subjects are devices, and paths of files. */
  swaps: { seen: false },
  /** Read-only flags of devices. */
  flags: { seen: false },
  umask: { seen: false },
  /** The registry hive that is open. Subjects are the mounts that it is on. */
  hive: { seen: false },
  /** Changes of it that are not in its file. Subjects are their numbers. */
  hiveChanges: { seen: false },
  /** The journal that is open: subjects are what calls decide of it. */
  journal: { seen: false },
} as const;

/** A call without optional arguments. */
export const plainCall = (action: ActionName, ...args: readonly unknown[]): CarriedCall => ({
  action,
  args,
  options: {},
});

/** The subject of a volume system's filter; those of its volumes begin with it. */
export const filterSubject = ({ name }: { readonly name: string }): string => `${name}:`;

type Facet = keyof typeof facets;
type Subject = Mount | BlockDevice | string;

interface Entry {
  readonly call: CarriedCall;
  readonly facet: Facet;
  readonly subjects: ReadonlySet<Subject>;
  readonly serial: number;
  /** Whether it brings back the state at launch: needed only after a call that an inspection has seen. */
  readonly takesBack: boolean;
}

export class SessionCalls {
  readonly #latest = new Map<Facet, Map<Subject, Entry>>();
  /** The calls that the last inspection has seen: it must see the same once more. */
  #seen: readonly Entry[] = [];
  #serial = 0;

  /** A call has decided these subjects. */
  record(facet: Facet, subjects: Iterable<Subject>, call: CarriedCall): void {
    this.#put({ call, facet, subjects: new Set(subjects), serial: ++this.#serial, takesBack: false });
  }

  /** What was decided of some subjects matters no more, since the next call decides more than they. */
  forget(facet: Facet, isMeant: (subject: Subject) => boolean): void {
    const known = this.#of(facet);
    for (const subject of known.keys()) if (isMeant(subject)) known.delete(subject);
  }

  /** The same, for subjects that are no more: no inspection can see them again. */
  forgetAlways(facet: Facet, isMeant: (subject: Subject) => boolean): void {
    this.forget(facet, isMeant);
    this.#seen = this.#seen.filter(
      (entry) => entry.facet !== facet || ![...entry.subjects].some((subject) => isMeant(subject)),
    );
  }

  /** A call has made a subject what it was at the launch, and perhaps others with it. */
  takeBack(
    facet: Facet,
    subject: Subject,
    call: CarriedCall,
    isMeant: (subject: Subject) => boolean = (each) => each === subject,
  ): void {
    this.forget(facet, isMeant);
    const wasSeen = this.#seen.some(
      (entry) => entry.facet === facet && [...entry.subjects].some((each) => isMeant(each)),
    );
    if (!wasSeen) return;
    this.#put({ call, facet, subjects: new Set([subject]), serial: ++this.#serial, takesBack: true });
  }

  /** An inspection was made of the present devices. */
  inspected(call: CarriedCall): void {
    for (const known of this.#latest.values())
      for (const [subject, { takesBack }] of known) if (takesBack) known.delete(subject);
    this.#seen = this.#all().filter(({ facet }) => facets[facet].seen);
    this.record('inspection', ['inspection'], call);
  }

  /** The call that decided a subject. */
  find(facet: Facet, subject: Subject): CarriedCall | undefined {
    return this.#latest.get(facet)?.get(subject)?.call;
  }

  /** The calls whose effect lasts, in order. `isPresent`: whether a subject still exists. */
  list(isPresent: (facet: Facet, subject: Subject) => boolean): CarriedCall[] {
    return [...new Set([...this.#seen, ...this.#all(isPresent)])]
      .sort((one, other) => one.serial - other.serial)
      .map(({ call }) => call);
  }

  #of(facet: Facet): Map<Subject, Entry> {
    const known = this.#latest.get(facet) ?? new Map<Subject, Entry>();
    this.#latest.set(facet, known);
    return known;
  }

  #put(entry: Entry): void {
    const known = this.#of(entry.facet);
    for (const subject of entry.subjects) known.set(subject, entry);
  }

  #all(isPresent: (facet: Facet, subject: Subject) => boolean = () => true): Entry[] {
    const entries = new Set<Entry>();
    for (const [facet, known] of this.#latest)
      for (const [subject, entry] of known)
        if (entry.takesBack || isPresent(facet, subject)) entries.add(entry);
    return [...entries];
  }
}
