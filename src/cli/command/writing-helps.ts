/** The help of the commands that change files of a guest. */
import type { CommandName } from './command-names.js';
import type { CommandHelp } from './help-shape.js';

const json = { form: '--json', text: 'for programs' };
/** The paragraph that all of them share. */
const changes =
  'The image is changed, which takes --rw, and must not be in use. One line says what was done, once it is stored; -q leaves it out.';
const recursive = { form: '-R, --recursive', text: 'everything below directories too' };

export const writingHelps = {
  mkdir: {
    summary: 'make directories',
    usage: ['mkdir --rw [OPTION]... IMAGE:/PATH [/PATH]...'],
    text: ['Makes directories in a guest.', changes],
    options: [
      { form: '-p, --parents', text: 'with those above that are missing; one that is there is no error' },
      { form: '--mode MODE', text: 'permissions, as 0700 or u=rwx,go=; 0755 by default' },
      json,
    ],
    groups: ['guest', 'image'],
    examples: [['guestfs mkdir --rw -p disk.qcow2:/srv/www/logs', 'with its parents']],
  },
  rm: {
    summary: 'remove files and directories',
    usage: ['rm --rw [OPTION]... IMAGE:/PATH [/PATH]...'],
    text: [
      'Removes files of a guest. Symbolic links are removed and not followed. With -r, what is mounted below a directory loses its files too.',
      "Paths may have wildcards: write them in quotes, as '/tmp/*'.",
      changes,
    ],
    options: [
      { form: '-r, --recursive', text: 'directories with all that is in them' },
      { form: '-f, --force', text: 'what is not there is no error' },
      json,
    ],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs rm --rw disk.qcow2:/etc/machine-id', 'one file'],
      ["guestfs rm --rw -r 'disk.qcow2:/var/tmp/*'", 'all that is in a directory'],
    ],
  },
  mv: {
    summary: 'move or rename files and directories',
    usage: ['mv --rw [OPTION]... IMAGE:/PATH [/PATH]... /DESTINATION'],
    text: [
      'Gives files of a guest another path, or puts them into a directory that is there. A file of that name is replaced. Between two filesystems it copies and removes.',
      changes,
    ],
    options: [{ form: '-n, --no-clobber', text: 'replace nothing' }, json],
    groups: ['guest', 'image', 'progress'],
    examples: [
      ['guestfs mv --rw disk.qcow2:/etc/motd /etc/motd.old', 'another name'],
      ['guestfs mv --rw disk.qcow2:/a /b /srv', 'two, into a directory'],
    ],
  },
  ln: {
    summary: 'make links',
    usage: ['ln --rw [OPTION]... IMAGE:/FILE /LINK', 'ln --rw -s [OPTION]... TARGET IMAGE:/LINK'],
    text: [
      'Gives a file of a guest a second name, or with -s makes a symbolic link, whose target is stored as it is written. Where LINK is a directory, the link is made in it.',
      changes,
    ],
    options: [
      { form: '-s, --symbolic', text: 'a symbolic link' },
      { form: '-f, --force', text: 'replace what has the name' },
      json,
    ],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs ln --rw disk.qcow2:/boot/vmlinuz-6.1 /boot/vmlinuz', 'a second name'],
      ['guestfs ln --rw -s /usr/share/zoneinfo/UTC disk.qcow2:/etc/localtime', 'a symbolic link'],
    ],
  },
  touch: {
    summary: 'set the times of files, or make empty ones',
    usage: ['touch --rw [OPTION]... IMAGE:/PATH [/PATH]...'],
    text: [
      'Sets when files of a guest were last read and changed: now. What is not there is made, empty.',
      changes,
    ],
    options: [
      {
        form: '-d, --date TIME',
        text: "this time: 2024-05-01, '2024-05-01 12:30' (UTC), @SECONDS, or as /PATH of the guest has it",
      },
      { form: '-c, --no-create', text: 'make nothing' },
      json,
    ],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs touch --rw disk.qcow2:/.autorelabel', 'an empty file'],
      ['guestfs touch --rw -d 2024-05-01 disk.qcow2:/etc/motd', 'a time'],
    ],
  },
  chmod: {
    summary: 'change permissions',
    usage: ['chmod --rw [OPTION]... MODE IMAGE:/PATH [/PATH]...'],
    text: [
      'Sets the permissions of files of a guest: MODE is 0644, or as u+x, go-w, a=rX. One that begins with a minus stands behind --. Symbolic links are followed, those met below a directory are left alone.',
      changes,
    ],
    options: [recursive, json],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs chmod --rw 0600 disk.qcow2:/etc/shadow', 'by number'],
      ['guestfs chmod --rw -R go-w disk.qcow2:/srv/www', 'a whole tree'],
    ],
  },
  chown: {
    summary: 'change owners',
    usage: ['chown --rw [OPTION]... OWNER[:GROUP] IMAGE:/PATH [/PATH]...'],
    text: [
      'Sets owner and group of files of a guest, by the names in its own /etc/passwd and /etc/group or by numbers; :GROUP sets the group alone. As in Linux, a new owner takes set-id bits away.',
      changes,
    ],
    options: [
      { ...recursive, text: 'everything below directories too; links themselves, not what they lead to' },
      { form: '--no-dereference', text: 'a symbolic link, not what it leads to' },
      json,
    ],
    groups: ['guest', 'image'],
    examples: [
      ['guestfs chown --rw www-data:www-data disk.qcow2:/srv/www', 'by names'],
      ['guestfs chown --rw -R 1000:1000 disk.qcow2:/home/user', 'a whole tree'],
    ],
  },
  write: {
    summary: 'write the contents of a file',
    usage: ['write --rw [OPTION]... IMAGE:/PATH'],
    text: [
      'Writes what comes on standard input to a file of a guest. A file that is there is replaced in one step when all is written, and keeps its owner, permissions and attributes.',
      changes,
    ],
    options: [
      { form: '--text TEXT', text: 'this text and a newline, in place of standard input' },
      { form: '--append', text: 'add to the end of what is there' },
      { form: '-p, --parents', text: 'make the directories above it that are missing' },
      json,
    ],
    groups: ['guest', 'image', 'progress'],
    examples: [
      ['guestfs write --rw disk.qcow2:/etc/motd < motd', 'from a file'],
      ['guestfs write --rw --text dolphin disk.qcow2:/etc/hostname', 'one line'],
    ],
  },
  edit: {
    summary: 'edit files in your editor',
    usage: ['edit --rw [OPTION]... IMAGE:/PATH [/PATH]...'],
    text: [
      'Starts the editor on a copy of a file of a guest. If the copy was changed and the editor ended well, it replaces the file in one step, with its owner, permissions and attributes. Nobody else can use the image meanwhile.',
      changes,
    ],
    options: [
      { form: '--editor COMMAND', text: 'in place of $VISUAL or $EDITOR; vi where neither is set' },
      json,
    ],
    groups: ['guest', 'image'],
    examples: [['guestfs edit --rw disk.qcow2:/etc/fstab', 'one file']],
  },
  'tar-in': {
    summary: 'unpack a tar archive into a directory of the guest',
    usage: ['tar-in --rw [OPTION]... FILE IMAGE:/DIR'],
    text: [
      'Unpacks an archive, - for standard input, into a directory of a guest, with its owners, permissions and times. Files that are there are replaced, directories merged. No name or link in the archive leads out of the directory.',
      changes,
    ],
    options: [
      {
        form: '-z, --compress KIND',
        text: 'gzip, xz, zstd, bzip2, lzop, compress or none; otherwise by the ending of FILE',
      },
      { form: '-p, --parents', text: 'make the directory, and those above it, where they are missing' },
      { form: '--xattrs', text: 'with extended attributes' },
      { form: '--selinux', text: 'with SELinux labels' },
      { form: '--acls', text: 'with access control lists' },
      { form: '--keep-dirlink', text: 'unpack into directories that links lead to, in place of the links' },
      json,
    ],
    groups: ['guest', 'image', 'progress'],
    examples: [
      ['guestfs tar-in --rw site.tar.gz disk.qcow2:/srv/www', 'compressed, by the name'],
      ['tar c . | guestfs tar-in --rw -p - disk.qcow2:/srv/new', 'from another program'],
    ],
  },
} as const satisfies { readonly [N in CommandName]?: CommandHelp };
