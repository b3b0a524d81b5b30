/** What each command is for, how it is written, and examples of its use. */
import type { CommandName } from './command-names.js';
import type { CommandHelp } from './help-shape.js';
import { writingHelps } from './writing-helps.js';

const json = { form: '--json', text: 'for programs: JSON, sizes in bytes' };
/** The paragraph that all commands with several paths share. */
const patterns =
  "Paths may have wildcards, which the guest's files are compared with: write them in quotes, as '/etc/*.conf'. Of several paths all are done, whatever is wrong with some; the exit status is that of the worst.";
const numeric = { form: '-n, --numeric', text: "owners as numbers, not by the guest's names" };

export const commandHelps: Readonly<Record<CommandName, CommandHelp>> = {
  inspect: {
    summary: 'tell which operating system is on an image',
    usage: ['inspect [OPTION]... IMAGE', 'IMAGE'],
    text: [
      'Looks at all filesystems of the image and tells which operating systems are on it: name, version, architecture, host name, installed packages, where its filesystems are mounted, and how full they are.',
      'What cannot be read is named, with --json under unreadable. Where nothing is found beside it, the exit status says why: 5 or 6. Where something is damaged it is 6 in any case.',
      'What a guest says of itself is not to be trusted.',
    ],
    options: [{ form: '-p, --packages', text: 'list the installed packages too' }, json],
    groups: ['sizes', 'image'],
    examples: [
      ['guestfs inspect disk.qcow2', 'a summary for people'],
      ['guestfs inspect --json disk.qcow2', 'everything, with all packages'],
      ['guestfs inspect -a data.qcow2 disk.qcow2', 'a guest that has two disks'],
    ],
  },
  filesystems: {
    summary: 'list the filesystems of an image',
    usage: ['filesystems [OPTION]... IMAGE'],
    text: [
      'Lists every filesystem on the disks, partitions and logical volumes of the image, swap too, with type, size, label and UUID, and how full it is if it can be mounted. The exit status is 6 where one is damaged.',
    ],
    options: [json],
    groups: ['sizes', 'image'],
    examples: [
      ['guestfs filesystems disk.qcow2', 'a table'],
      ['guestfs filesystems --json disk.qcow2', 'the same for programs'],
    ],
  },
  info: {
    summary: 'describe the image file and its partitions',
    usage: ['info [OPTION]... IMAGE'],
    text: [
      'Describes the image file (format, virtual size, space on the host, backing files, internal snapshots) and how the disk in it is divided: partition table, partitions with their types, logical volumes.',
      'A backing file is looked at only in the directory of the image, unless --trust is given.',
    ],
    options: [json],
    groups: ['sizes', 'image'],
    examples: [
      ['guestfs info overlay.qcow2', 'with the images that it is based on'],
      ['guestfs info --bytes disk.raw', 'sizes and starts in bytes'],
    ],
  },
  ls: {
    summary: 'list files',
    usage: ['ls [OPTION]... IMAGE[:/PATH] [/PATH]...'],
    text: [
      'Lists the files in directories, or files themselves. Names that begin with a dot are always listed.',
      patterns,
      'On a terminal control characters in names are shown as escapes; elsewhere names come out as they are.',
    ],
    options: [
      { form: '-l, --long', text: 'with permissions, owner, size, time (UTC) and link target' },
      { form: '-h, --human', text: 'sizes as 1.5K, with -l' },
      { form: '-1, --one', text: 'one name a line, as always where the output is no terminal' },
      { form: '-d, --directory', text: 'directories themselves, not what is in them' },
      { form: '-R, --recursive', text: 'each directory with all below it' },
      { form: '-t, --time', text: 'the newest first, by the last change' },
      { form: '-S, --by-size', text: 'the largest first' },
      { form: '-r, --reverse', text: 'backwards' },
      numeric,
      { form: '--json', text: 'for programs: an array with everything that stat tells' },
    ],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs ls disk.qcow2', 'the root directory'],
      ['guestfs ls -lh disk.qcow2:/var/log', 'with sizes for people'],
      ["guestfs ls -lt 'disk.qcow2:/var/log/*.log'", 'some, the newest first'],
      ['guestfs ls -m /dev/sda1 disk.qcow2', 'a filesystem mounted by hand'],
    ],
  },
  cat: {
    summary: 'write the contents of files to standard output',
    usage: ['cat [OPTION]... IMAGE:/PATH [/PATH]...', 'cat [OPTION]... IMAGE /PATH...'],
    text: [
      'Writes files of the guest to standard output, one after the other, as they are. Symbolic links are followed, and never lead out of the guest.',
      patterns,
    ],
    options: [],
    groups: ['guest', 'image', 'progress'],
    examples: [
      ['guestfs cat disk.qcow2:/etc/os-release', 'one file'],
      ['guestfs cat disk.qcow2 /etc/hostname /etc/hosts', 'two files'],
      ['guestfs cat -m /dev/sda1:/boot disk.qcow2:/boot/grub/grub.cfg', 'mounted by hand'],
    ],
  },
  stat: {
    summary: 'tell everything about files',
    usage: ['stat [OPTION]... IMAGE:/PATH [/PATH]...'],
    text: [
      'Tells size, permissions, owner, links, inode and times of files, in the layout of GNU stat. Times are UTC.',
      patterns,
    ],
    options: [
      { form: '-L, --dereference', text: 'what a symbolic link leads to, not the link' },
      { form: '-h, --human', text: 'the size as 1.5K' },
      numeric,
      { form: '--json', text: 'for programs: an array; times in seconds since 1970' },
    ],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs stat disk.qcow2:/etc/shadow', 'one file'],
      ['guestfs stat --json disk.qcow2:/etc/passwd /etc/group', 'two files, as JSON'],
    ],
  },
  find: {
    summary: 'list everything below a directory',
    usage: ['find [OPTION]... IMAGE[:/PATH] [/PATH]...'],
    text: [
      'Lists directories with everything below them, other mounted filesystems too, in the order in which they are stored. All tests that are given must hold.',
      patterns,
      'With --json there is one object on each line, so that a program can begin before the end. Times are seconds since 1970, to the nanosecond.',
    ],
    options: [
      { form: '--name PATTERN', text: "whose name matches, as '*.conf' or '[a-c]?'" },
      { form: '--iname PATTERN', text: 'the same, taking capitals for small letters' },
      {
        form: '--type LETTERS',
        text: 'f file, d directory, l symbolic link, b or c device, p fifo, s socket; several with commas',
      },
      {
        form: '--size [+-]SIZE',
        text: 'larger than with +, smaller than with -, else exactly: +1M, -10K, 0; in bytes, or in units of 1024',
      },
      {
        form: '--mtime [+-]N',
        text: 'changed N whole days ago: -7 in the last seven days, +30 longer ago than 30',
      },
      {
        form: '--newer TIME',
        text: "changed after a time, 2024-05-01, '2024-05-01 12:30' (UTC) or @SECONDS, or after a file of the guest, /PATH",
      },
      { form: '--maxdepth N', text: 'no more than N levels below the start' },
      { form: '-l, --long', text: 'as ls -l, with the path in place of the name' },
      { form: '-h, --human', text: 'sizes as 1.5K, with -l' },
      numeric,
      { form: '-0, --print0', text: 'a NUL after each path, for xargs -0' },
      { form: '--json', text: 'one JSON object a line' },
    ],
    groups: ['guest', 'image', 'progress'],
    examples: [
      ["guestfs find disk.qcow2:/etc --name '*.conf'", 'by name'],
      ['guestfs find disk.qcow2 --type f --json | jq -s length', 'how many files there are'],
      ['guestfs find -l disk.qcow2:/usr/bin --maxdepth 1', 'one level, with all facts'],
      ['guestfs find disk.qcow2 --type f --size +100M --mtime -7', 'what has grown lately'],
    ],
  },
  df: {
    summary: 'tell how full the filesystems are',
    usage: ['df [OPTION]... IMAGE'],
    text: [
      'Tells size and free space of every filesystem that can be mounted. With -i, --root or -m only of those mounted, with their mount points.',
      'Those that cannot be mounted are named, with --json by their problem. The exit status is 5 or 6 where none can, and 6 where one is damaged.',
    ],
    options: [{ form: '--inodes', text: 'numbers of files in place of bytes' }, json],
    groups: ['sizes', 'choice', 'image'],
    examples: [
      ['guestfs df disk.qcow2', 'all filesystems'],
      ['guestfs df -i disk.qcow2', 'as the guest has them mounted'],
    ],
  },
  cp: {
    summary: 'copy files and directories out of an image, or into one',
    usage: [
      'cp [OPTION]... IMAGE:/PATH [/PATH]... DESTINATION',
      'cp [OPTION]... IMAGE:/PATH -',
      'cp --rw [OPTION]... FILE... IMAGE:/DESTINATION',
      'cp --rw [OPTION]... IMAGE:/PATH... OTHER-IMAGE:/DESTINATION',
    ],
    text: [
      'Copies files to a file or into a directory of this machine. A file appears under its name when it is complete: what is interrupted leaves nothing behind. - is standard output.',
      'With -r, symbolic links stay links, times and permissions are kept, and so are owners if this is run by root. No path that the guest names leads out of the destination.',
      'Into an image, which takes --rw, files are replaced in one step when they are complete, and keep their owner, permissions and attributes. What is new belongs to root, with -p to the same number as here; from another image it keeps what it has there. - is standard input. The options about opening and mounting are for the image that is changed.',
      patterns,
    ],
    options: [
      { form: '-r, --recursive', text: 'directories with all that is in them' },
      {
        form: '-p, --preserve',
        text: 'times and permissions of single files too; into an image owners as well',
      },
      {
        form: '--from-mount DEV[:DIR]',
        text: 'as -m, in the image that is copied from; may be given several times',
      },
      { form: '--json', text: 'for programs, of what was copied into an image' },
    ],
    groups: ['guest', 'image', 'progress'],
    examples: [
      ['guestfs cp disk.qcow2:/etc/fstab .', 'one file'],
      ['guestfs cp -r disk.qcow2:/var/log ./logs', 'a directory, which becomes ./logs'],
      ['guestfs cp disk.qcow2:/etc/passwd /etc/group ./', 'two files'],
      ['guestfs cp --rw -r ./site disk.qcow2:/srv/www', 'a directory, into the image'],
      ['guestfs cp --rw -r old.qcow2:/home new.qcow2:/', 'from one image into another'],
    ],
  },
  'tar-out': {
    summary: 'pack a directory of the guest into a tar archive',
    usage: ['tar-out [OPTION]... IMAGE:/DIR [FILE]'],
    text: [
      'Writes everything in a directory as an archive, with paths that begin with ./ and with the owners and permissions of the guest. Without FILE, or with -, it goes to standard output.',
    ],
    options: [
      {
        form: '-z, --compress KIND',
        text: 'gzip, zstd, xz, bzip2 or none; otherwise by the ending of FILE (.tar.gz, .tar.zst, ...); other endings, as .zip, are refused',
      },
      { form: '--exclude PATTERN', text: 'leave out what matches; may be given several times' },
      { form: '--numeric-owner', text: 'numbers of owners, without names' },
      { form: '--xattrs', text: 'with extended attributes' },
      { form: '--selinux', text: 'with SELinux labels' },
      { form: '--acls', text: 'with access control lists' },
    ],
    groups: ['guest', 'image', 'progress'],
    examples: [
      ['guestfs tar-out disk.qcow2:/home home.tar.gz', 'compressed, by the name'],
      ['guestfs tar-out disk.qcow2:/etc - | tar tv', 'into another program'],
      ["guestfs tar-out --exclude './cache/*' disk.qcow2:/var var.tar", 'without some'],
    ],
  },
  hexdump: {
    summary: 'show the bytes of a file or a device',
    usage: ['hexdump [OPTION]... IMAGE:/PATH', 'hexdump [OPTION]... -d DEVICE IMAGE'],
    text: [
      'Shows bytes in hexadecimal and as text, 16 on a line. Lines that repeat the one before are one *. Numbers may be written as 512, 0x200, 4K or 1M.',
    ],
    options: [
      { form: '-d, --device DEVICE', text: 'a whole disk, partition or volume: /dev/sda1' },
      { form: '-s, --offset N', text: 'begin at this byte' },
      { form: '-n, --length N', text: 'show no more than so many bytes' },
    ],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs hexdump -d /dev/sda -n 512 disk.qcow2', 'the first sector'],
      ['guestfs hexdump -s 1K -n 1K disk.qcow2:/boot/vmlinuz', 'a part of a file'],
    ],
  },
  ...writingHelps,
  create: {
    summary: 'make an empty image',
    usage: ['create [OPTION]... IMAGE SIZE', 'create --backing FILE --backing-format FORMAT IMAGE'],
    text: [
      'Makes a new image whose disk has SIZE bytes (20G, 512M). The format is that of the name: qcow2 for NAME.qcow2, raw for any other.',
      'With --backing the image is qcow2, has the size of that file, and shows what is in it until something is written.',
    ],
    options: [
      { form: '--format FORMAT', text: 'raw or qcow2' },
      {
        form: '--backing FILE',
        text: 'the image below the new one; a relative name is relative to the new one',
      },
      { form: '--backing-format FORMAT', text: 'the format of that image' },
      {
        form: '--preallocation KIND',
        text: 'what is taken at once: off (the default), metadata of qcow2, or full',
      },
      { form: '--compat VERSION', text: 'of qcow2: 1.1 (the default), or 0.10 for very old programs' },
      { form: '--cluster-size SIZE', text: 'of qcow2: a power of two from 512 to 2M; 64K by default' },
      { form: '--force', text: 'replace a file of that name' },
      { form: '--json', text: 'for programs' },
    ],
    groups: [],
    examples: [
      ['guestfs create disk.qcow2 20G', 'a disk that takes room as it is filled'],
      [
        'guestfs create --backing base.qcow2 --backing-format qcow2 new.qcow2',
        'a copy that shares what it does not change',
      ],
      ['guestfs create --preallocation full disk.raw 1G', 'a disk that has all its room'],
    ],
  },
  'make-fs': {
    summary: 'make an image of directories and tar archives',
    usage: ['make-fs [OPTION]... SOURCE... -o IMAGE'],
    text: [
      'Makes an image with a filesystem that holds what the sources hold: directories, tar archives, plain or in gzip, zstd or xz, and images of containers: OCI layouts and what docker save writes, whose layers are put on each other. Later sources go over earlier ones. The size is what they take.',
      'Owners, modes, times, links, devices, attributes and access lists are those of the archives, and need no root. Of directories, attributes are not read. Blocks of zeroes become holes.',
      'FAT keeps names, contents and times. A file with several names is several files there; links, devices and pipes are left out, with a note.',
      'The same content with the same options gives the same bytes: identifiers are made of a digest of the content, and times are those of the files.',
    ],
    options: [
      { form: '-o, --output IMAGE', text: 'the new image' },
      { form: '--type TYPE', text: 'ext4 (the default), ext3, ext2 or vfat' },
      { form: '--label LABEL', text: 'a name for the filesystem, of at most 16 bytes; 11 of vfat' },
      { form: '--free SIZE', text: 'room beside the content; none by default' },
      { form: '--partition TABLE', text: 'gpt or mbr: the filesystem is the last partition of such a table' },
      {
        form: '--efi SOURCE',
        text: 'what an EFI system partition before it holds; it is FAT32, of 64 MiB or more. With a GPT unless --partition says otherwise',
      },
      { form: '--format FORMAT', text: 'raw or qcow2, by default as the name ends' },
      { form: '--force', text: 'replace a file of that name' },
      { form: '--json', text: 'for programs' },
    ],
    groups: ['progress'],
    examples: [
      ['guestfs make-fs rootfs.tar.zst -o root.img', 'an image as small as its content'],
      ['guestfs make-fs --type ext4 app.tar -o app.img', 'what docker save -o app.tar app wrote'],
      [
        'guestfs make-fs --free 2G --efi efi/ root.tar extra/ -o vm.qcow2',
        'with room, for a machine that boots',
      ],
    ],
  },
  resize: {
    summary: 'change the size of the disk in an image',
    usage: ['resize --rw [OPTION]... IMAGE SIZE'],
    text: [
      'Gives the disk in a raw or qcow2 image another size: 20G, or +1G for so much more. What is added reads as zeroes. Partitions and filesystems keep their sizes.',
      'A disk is made smaller with --shrink alone, as all that lies behind the new end is lost. A size that begins with a minus stands behind --, as it would be an option.',
    ],
    options: [
      { form: '--shrink', text: 'allow a smaller size' },
      { form: '--format FORMAT', text: 'the format of the image, where it shall not be detected' },
      { form: '--rw', text: 'change the image' },
      { form: '--trust', text: 'allow the image to name files elsewhere' },
      { form: '--json', text: 'for programs' },
    ],
    groups: [],
    examples: [
      ['guestfs resize --rw disk.qcow2 +10G', 'ten gibibytes more'],
      ['guestfs resize --rw --shrink disk.raw 4G', 'cut off behind four gibibytes'],
      ['guestfs resize --rw --shrink disk.qcow2 -- -512M', 'half a gibibyte less'],
    ],
  },
  partition: {
    summary: 'make and change the partition table of an image',
    usage: [
      'partition --rw IMAGE init TABLE',
      'partition --rw [OPTION]... IMAGE add [SIZE]',
      'partition --rw IMAGE resize NUMBER [SIZE]',
      'partition --rw IMAGE set NUMBER [OPTION]...',
      'partition --rw IMAGE delete NUMBER',
    ],
    text: [
      'Makes an empty table, gpt or mbr; adds a partition in the first gap that is large enough, or with all of the largest one; makes one end elsewhere, by default at the next one; gives it a type and a name; or takes it out of the table. Partitions begin and end at whole mebibytes.',
      'What lies in a partition stays as it is: a filesystem is made or grown afterwards. guestfs info shows the table. Partitions in an extended one are made by guestfs call part_add.',
    ],
    options: [
      { form: '--type TYPE', text: "efi, linux, swap, lvm, a GPT's GUID or an MBR's number" },
      { form: '--name NAME', text: 'a name in a GPT' },
      { form: '--shrink', text: 'allow resize to make a partition smaller' },
      { form: '--force', text: 'allow init to lose what is there' },
      { form: '--json', text: 'for programs: the disk and its partitions as they are now' },
    ],
    groups: ['image', 'sizes'],
    examples: [
      ['guestfs partition --rw disk.qcow2 init gpt', 'an empty table'],
      ['guestfs partition --rw disk.qcow2 add 512M --type efi --name EFI', 'the first partition'],
      ['guestfs partition --rw disk.qcow2 add', 'one that has all the rest'],
    ],
  },
  check: {
    summary: 'check the tables of an image',
    usage: ['check [OPTION]... IMAGE'],
    text: [
      'Checks that the tables of a qcow2 image agree: each cluster is counted as often as it is used, and no two tables claim one place. What is in the disk is not looked at.',
      'The exit status is 0 if nothing is wrong, 1 if space is lost and nothing else, and 6 if the image is damaged, so that writing to it may destroy more.',
      'With --repair leaks, lost space is given back. With --repair all, counts that are too low are put right too, so far as the tables that map the disk are whole.',
    ],
    options: [
      { form: '--repair KIND', text: 'leaks or all; needs --rw' },
      { form: '--rw', text: 'change the image' },
      { form: '--format FORMAT', text: 'the format of the image, where it shall not be detected' },
      { form: '--json', text: 'for programs' },
    ],
    groups: ['sizes', 'progress'],
    examples: [
      ['guestfs check disk.qcow2', 'what is wrong, and one line in the end'],
      ['guestfs check --rw --repair leaks disk.qcow2', 'lost space given back'],
    ],
  },
  call: {
    summary: 'call any action of the API by its name',
    usage: [
      'call [OPTION]... IMAGE ACTION [ARG]... [: ACTION [ARG]...]...',
      'call [OPTION]... -a IMAGE [-a IMAGE]... ACTION [ARG]...',
      'call ACTION [ARG]... [: ACTION [ARG]...]...',
    ],
    text: [
      'Calls actions as guestfish does: required arguments in order, then optional ones as name:value. Several actions are separated by a colon that stands alone. Options stand before the image. Nothing is mounted unless -i or -m is given.',
      'Actions that need no image are called without one; those that must come before an image is opened too, with add-drive and launch among them. guestfs actions lists all, guestfs help ACTION describes one.',
      'What changes an image needs --rw. What the embedded engine cannot do boots the real appliance, where there is one.',
    ],
    options: [
      { form: '--keys-from-stdin', text: 'read secrets from standard input, a line for each' },
      { form: '--json', text: 'results as JSON: bytes as base64' },
    ],
    groups: ['choice', 'image', 'progress'],
    examples: [
      ['guestfs call disk.qcow2 part-list /dev/sda', 'one action'],
      ['guestfs call -i disk.qcow2 checksum sha256 /etc/passwd', 'with the guest mounted'],
      ['guestfs call disk.qcow2 mount-ro /dev/sda1 / : ls /', 'two actions'],
      ['guestfs call set-memsize 2048 : add-drive disk.qcow2 : launch : ...', 'with a setting'],
      ['guestfs call -i disk.qcow2 command uname', 'in the real appliance'],
      ['guestfs call --rw -i disk.qcow2 touch /x', 'a change of the image'],
    ],
  },
  actions: {
    summary: 'list the actions that call can call',
    usage: ['actions [WORD]'],
    text: [
      'Lists the actions of the API by topic: all, or those with WORD in their name or description. A star marks those that need the appliance, a plus those that change what is on disks, which takes --rw.',
    ],
    options: [{ form: '--json', text: 'for programs' }],
    groups: [],
    examples: [['guestfs actions partition', 'what has to do with partitions']],
  },
  doctor: {
    summary: 'tell what works on this machine',
    usage: ['doctor [OPTION]...'],
    text: [
      'Tells of each backend whether it works here: what the embedded engine reads, and all that the direct backend needs (qemu, KVM, supermin, a kernel, the parts of the appliance, its cache directory), with what to do about what is missing. Nothing is booted but a bare kernel, to see whether KVM really runs a guest; that takes five seconds at most, where it does not.',
      'With --launch the appliance is booted too, which takes some ten seconds without KVM.',
      'What is limited works, but less well. The exit status is 0 if any backend works, and 1 if none does; with --launch also if the appliance does not boot.',
    ],
    options: [
      { form: '--launch', text: 'boot the appliance: how long it takes, and what is in it' },
      { form: '-v, --verbose', text: 'with the messages of that launch, on standard error' },
      { form: '--json', text: 'for programs' },
    ],
    groups: ['progress'],
    examples: [
      ['guestfs doctor', 'a list'],
      ['guestfs doctor --launch', 'with a launch of the direct backend'],
      ["guestfs doctor --json | jq '.backends'", 'the verdicts alone'],
    ],
  },
  completion: {
    summary: 'print the script by which a shell completes words',
    usage: ['completion bash|zsh|fish'],
    text: [
      'Prints a script for the shell, which then completes commands, options and their values, names of actions, files, and paths inside an image: guestfs cat disk.qcow2:/et and the Tab key.',
      'An image is read by the embedded engine for that; the appliance is never started.',
    ],
    options: [],
    groups: [],
    examples: [
      ['guestfs completion fish | source', 'in ~/.config/fish/config.fish'],
      ['source <(guestfs completion bash)', 'in ~/.bashrc; with zsh in ~/.zshrc'],
    ],
  },
  help: {
    summary: 'describe a command or an action',
    usage: ['help [COMMAND|ACTION]'],
    text: ['Shows the help of a command or, for any other word, of an action of the API.'],
    options: [],
    groups: [],
    examples: [
      ['guestfs help cp', 'a command'],
      ['guestfs help part-list', 'an action'],
    ],
  },
};
