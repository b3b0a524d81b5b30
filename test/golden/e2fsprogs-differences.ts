/** Where the embedded engine shows other things of e2fsprogs's images than the kernel does, and why. */
export interface Difference {
  readonly why: string;
  readonly patterns: readonly RegExp[];
}

const groups: readonly (Difference & { readonly images: readonly string[] })[] = [
  {
    why: "blocks are larger than the kernel's pages: ext4 all the same, and read here",
    images: ['f_16384_block', 'f_8192_block'],
    patterns: [/^(ro|rw): mounted/],
  },
  {
    why: 'blkid takes it for another filesystem, which the kernel mounts; its ext superblock is none',
    images: ['f_crashdisk'],
    patterns: [/^(ro|rw): ext4 superblock/],
  },
  {
    why: 'the kernel keeps a list of where bitmaps and inode tables lie, to guard them, and refuses where that fails; here it is read',
    images: ['f_miss_blk_bmap', 'f_overfsblks'],
    patterns: [/^(ro|rw): mounted/],
  },
  {
    why: 'the kernel refuses for the room that new inodes would have for attributes, of which a reader makes none',
    images: ['f_sb_extra_isize'],
    patterns: [/^(ro|rw): mounted/],
  },
  {
    why: 'refused by the kernel only to be written, for what a reader has no use for',
    images: [
      'f_quota_invalid_inum',
      'f_shared_blocks_ok',
      'f_unshare_blocks_no_space',
      'f_unshare_blocks_ok',
      'm_mmp_bad_csum',
      'm_mmp_bad_magic',
    ],
    patterns: [/^rw: mounted/],
  },
  {
    why: 'the kernel gives up its fast commits ("JBD2: recovery failed"), and can be told noload alone; here they are replayed',
    images: ['j_recover_fast_commit'],
    patterns: [/^ro: mounted/],
  },
  {
    why: 'entries behind a damaged one, or that the damaged index does not lead to, are listed here',
    images: [
      'f_bad_fname',
      'f_baddir',
      'f_dup_de',
      'f_dup_de2',
      'f_dup_de_crypt',

      'f_h_badroot',
      'f_holedir3',
      'f_htree_bad_csum',
      'f_htree_leaf_csum',
    ],
    patterns: [/^more /],
  },
  {
    why: 'an empty target is an error here: it leads nowhere, and no link can be made of it',
    images: ['f_badsymlinks', 'f_badsymlinks2'],
    patterns: [/^other .*has an empty target$/],
  },
  {
    why: 'the kernel truncates the orphan at each mount, which sets its time to that of the mount; here the time is the stored one',
    images: ['f_orphan_extents_inode', 'f_orphan_indirect_inode'],
    patterns: [/^other \/a: /],
  },
];

export const differences: Readonly<Record<string, Difference>> = Object.fromEntries(
  groups.flatMap(({ images, ...difference }) => images.map((image) => [image, difference])),
);
