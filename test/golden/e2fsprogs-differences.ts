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
    why: 'refused by the kernel for a field that a reader has no use for',
    images: ['f_miss_blk_bmap', 'f_overfsblks', 'f_sb_extra_isize'],
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
    why: 'the kernel cannot replay its fast commits; here they are',
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
    why: 'targets that the kernel cuts off or shows empty are errors here',
    images: ['f_badinode', 'f_badsymlinks', 'f_badsymlinks2', 'f_invalid_extent_symlink'],
    patterns: [/^other .*(does not fit|empty target|too long for its kind|is cut short)/],
  },
  {
    why: "still to be explained: names of damaged inline directories that the kernel lists, and a link's target of which it shows more",
    images: ['f_inlinedata_repair'],
    patterns: [/^other \/1: /, /^less \/[57]\/efg$/],
  },
  {
    why: 'still to be explained: the kernel lists one entry of an indexed directory with a block of zeroes, which is missing here',
    images: ['f_uninit_dir'],
    patterns: [/^less \/xyz\/abc$/],
  },
  {
    why: 'the kernel truncates the orphan, which sets its time to now',
    images: ['f_orphan_extents_inode', 'f_orphan_indirect_inode'],
    patterns: [/^other \/a: /],
  },
];

export const differences: Readonly<Record<string, Difference>> = Object.fromEntries(
  groups.flatMap(({ images, ...difference }) => images.map((image) => [image, difference])),
);
