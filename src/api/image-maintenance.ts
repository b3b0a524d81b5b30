/** What `checkImage` and `resizeImage` ask a backend for, and what it answers. */

/** A check of one image, with a repair before it where one is asked for. */
export interface ImageCheckRequest {
  readonly image: string;
  /** By qemu's name; detected if not given. */
  readonly format?: string;
  readonly repair?: 'leaks' | 'all';
}

/** Another size for the disk in one image. */
export interface ImageResizeRequest {
  readonly image: string;
  readonly format?: string;
  /** The new size, or the change of it. */
  readonly size: { readonly bytes: number } | { readonly changeInBytes: number };
  readonly shrink: boolean;
}

/** The size of the disk in an image, in bytes. */
export interface ResizedImage {
  readonly before: number;
  readonly after: number;
}
