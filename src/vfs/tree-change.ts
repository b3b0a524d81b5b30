/** What a {@link TreeWriter} did to the tree: for whoever watches it. */
import type { Place } from './mount.js';

interface Named {
  readonly directory: Place;
  readonly name: string;
}

export type TreeChange =
  /** A name is new. `isLink`: that of a file which had one before. */
  | (Named & { readonly kind: 'made'; readonly place: Place; readonly isLink: boolean })
  /** A name is gone. `isLast`: the file with it. */
  | (Named & { readonly kind: 'removed'; readonly place: Place; readonly isLast: boolean })
  | {
      readonly kind: 'moved';
      readonly from: Named;
      readonly to: Named;
      readonly place: Place;
      readonly replaced: { readonly place: Place; readonly isLast: boolean } | undefined;
    }
  /** Permissions, owners, times or extended attributes; contents; or what was open for writing is not any more. */
  | { readonly kind: 'attributes' | 'contents' | 'closed'; readonly place: Place };
