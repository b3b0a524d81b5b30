# Runs inside the appliance (as /bin/sh, from a disk): fills filesystems with what only the kernel can make, and leaves
# others in the middle of a write. What follows it in the script are calls of `made` and `dirty`, and at the end `ready`.
export LC_ALL=C TZ=UTC
mkdir -p /tmp/log /tmp/tools
exec 2>/tmp/log/writers

# made NAME DEVICE OPTIONS WRITER: mounts, writes, unmounts.
made() {
  echo "== $1" >&2
  mkdir -p /tmp/made
  mount -t ext4 -o "$3" "$2" /tmp/made || { echo "REFUSED $1: $(dmesg | tail -1)"; return 0; }
  (cd /tmp/made || exit; set -e; $4)
  [ $? = 0 ] || echo "FAILED $1" # not `||` above: it would switch `set -e` off
  umount /tmp/made
}

# dirty NAME DEVICE OPTIONS WRITER: mounts, writes, and does not unmount.
dirty() {
  echo "== $1" >&2
  mkdir -p "/tmp/dirty/$1"
  mount -t ext4 -o "$3" "$2" "/tmp/dirty/$1" || { echo "REFUSED $1: $(dmesg | tail -1)"; return 0; }
  (cd "/tmp/dirty/$1" || exit; set -e; $4)
  [ $? = 0 ] || echo "FAILED $1"
}

# The N-th drive. Its /dev/sdX name would not do: the kernel gives those out in the order in which disks answer.
drive() { set -- /dev/disk/by-path/*-scsi-0:0:"$1":0 && echo "$1"; }

# the numbers from $1 to $2, each with the rest before it
each() { seq -f "$3%g" "$1" "$2"; }

casefold() {
  mkdir folded plain
  chattr +F folded
  each 1 400 folded/Entry- | xargs touch
  for name in Übung Straße ÉTÉ İstanbul 'ﬁn' Ωmega; do echo "$name" >"folded/$name"; done
  mkdir folded/Inner
  echo inner >folded/Inner/File
  cat folded/ENTRY-7 folded/inner/FILE folded/übung >/dev/null
}

projects() {
  mkdir one two
  chattr -p 42 one
  chattr +P one
  chattr -p 4000000000 two
  for number in 1 2 3; do echo $number >one/$number; echo $number >two/$number; done
  chown 7:8 one/1
}

verity() {
  seq 1 100000 >large
  seq 1 100 >small
  : >empty
  for file in large small empty; do LD_LIBRARY_PATH=/tmp/tools /tmp/tools/fsverity enable "$file"; done
  echo plain >plain
}

encrypted() {
  mkdir secret plain
  echo plain >plain/file
  echo passphrase | e4crypt add_key -S 0x0123456789abcdef secret >/dev/null
  echo secret >secret/file
  mkdir secret/inner
  echo deeper >"secret/inner/with a name that is rather long, for a name, so that its ciphertext is long too"
  ln -s ../plain/file secret/link
}

# in more pieces than two levels of a tree of 1 KiB blocks hold (the file comes with its holes), and its middle cut out
torn() {
  tar -xf "$tools" pieces
  dd if=/dev/urandom of=source bs=1024 count=512 status=none
  cp source holed
  fallocate -p -o 10240 -l 20480 holed
  cp source cut
  truncate -s 100001 cut
  truncate -s 300001 cut
  : >beyond-hole
  truncate -s 100000000 beyond-hole
  mkdir indexed
  each 1 1500 indexed/a-rather-long-name-for-an-entry- | xargs touch
  each 300 1400 indexed/a-rather-long-name-for-an-entry- | xargs rm
  each 1 40 indexed/back- | xargs touch
  mkdir many-links
  touch many-links/1
  for number in 2 3 4 5 6 7 8 9; do ln many-links/1 many-links/$number; done
  mkdir sub
  (cd sub && seq 1 200 | xargs mkdir)
}

trees() {
  torn
  cp source collapsed
  fallocate -c -o 65536 -l 131072 collapsed
  cp source inserted
  fallocate -i -o 65536 -l 65536 inserted
  cp source zeroed
  fallocate -z -o 4096 -l 100000 zeroed
  fallocate -l 300000 reserved
  printf x | dd of=reserved bs=1 seek=150000 conv=notrunc status=none
  : >beyond
  fallocate -n -l 300000 beyond
}

inline() {
  for size in 0 1 59 60 61 150 160 300 396 420 500; do head -c $size /dev/urandom >"size-$size"; done
  head -c 100 /dev/urandom >grows
  head -c 5000 /dev/urandom >>grows
  head -c 5000 /dev/urandom >shrinks
  truncate -s 20 shrinks
  mkdir few some many
  for number in 1 2 3; do echo $number >few/$number; done
  for number in $(seq 1 25); do echo $number >some/$number; done
  for number in $(seq 1 300); do echo $number >many/$number; done
  mkdir emptied
  seq 1 30 | (cd emptied && xargs touch)
  rm emptied/*
  big=0x$(head -c 20000 /dev/zero | tr '\0' 'A' | sed 's/A/4a/g')
  for file in few/1 few/2 some; do setfattr -n user.big -v "$big" $file; done
  for number in $(seq 1 12); do setfattr -n user.small$number -v "value-$number" few/3; done
  setfattr -x user.small5 few/3
  setfacl -m u:5:rw,g:6:r few/2 2>/dev/null || true
  touch -d 1901-12-14 few/1
  touch -d '2446-05-10 22:38:55.123456789' few/2
  touch -d '2038-01-19 03:14:08.000000001' few/3
}

# a day's work: directories made and removed, files written, renamed, linked, cut, given attributes
work() {
  for round in 1 2 3; do
    mkdir -p round-$round/deep/er
    each 1 80 round-$round/file- | xargs touch
    for number in 1 2 3 4 5 6; do
      seq 1 $((number * 700)) >round-$round/text-$number
      ln round-$round/text-$number round-$round/deep/link-$number
    done
    setfattr -n user.round -v "$(seq 1 120 | tr '\n' ' ')" round-$round/text-1
    ln -s ../round-2/text-2 round-$round/deep/er/symlink
    mv round-$round/file-7 round-$round/deep/er/moved
    truncate -s 100 round-$round/text-5
    [ $round -lt 3 ] || rm -r round-1
    sync round-$round/text-2
  done
}

# `ready` has this go on here until the machine is killed
unfinished() { pwd >>/tmp/log/unfinished; }

plainly() { work; unfinished; }

# blocks that held directories and attributes, and now hold data: the log must not be replayed over them
revoked() {
  for round in 1 2 3; do
    mkdir d
    each 1 300 d/an-entry-with-a-long-enough-name-to-fill-a-few-blocks- | xargs touch
    mkdir d/sub
    (cd d/sub && seq 1 60 | xargs mkdir)
    for number in 1 2 3 4 5; do setfattr -n user.x -v "$(seq 1 150 | tr '\n' ' ')" d/sub/$number; done
    sync d
    rm -r d
    seq 1 200000 >data-$round
    sync data-$round
  done
  work
  unfinished
}

# data in the log, some of it beginning with the log's own magic number
journalled() {
  for number in 1 2 3 4; do
    for block in 1 2 3 4 5 6 7 8; do
      printf '\300\073\071\230\000\000\000\001'
      head -c 4088 /dev/urandom
    done >magic-$number
    sync magic-$number
  done
  work
}

# more transactions than the log is long
wrapped() {
  for lap in 1 2 3 4 5 6; do
    mkdir lap-$lap
    each 1 200 lap-$lap/file- | xargs touch
    for number in 1 2 3 4 5 6 7 8; do
      setfattr -n user.lap -v "$(seq 1 150 | tr '\n' ' ')" lap-$lap/file-$number
      seq 1 100 >lap-$lap/text-$number
      sync lap-$lap/text-$number
    done
    [ $lap -lt 3 ] || rm -r lap-$((lap - 2))
  done
  work
  unfinished
}

# files that are gone but still open, and large ones
orphaned() {
  work
  for number in 1 2 3; do
    seq 1 100000 >open-$number
    sleep 1000 <open-$number >/dev/null 2>&1 &
  done
  sleep 1
  rm open-1 open-2 open-3
  echo done >marker
  sync marker
  sync .
}

# after one full commit, small ones: each file synchronised by itself
fast() {
  work
  echo base >base
  sync
  for number in 1 2 3 4 5 6 7 8 9 10; do
    seq 1 $((number * 50)) >fast-$number
    sync fast-$number
    [ $((number % 3)) != 0 ] || { mv fast-$number renamed-$number && echo more >>renamed-$number && sync renamed-$number; }
    [ $((number % 4)) != 0 ] || { rm fast-$((number - 3)); echo $number >>base; sync base; }
  done
  ln fast-2 linked
  sync linked
  truncate -s 5 fast-2
  sync fast-2
  mkdir in-fast
  echo in >in-fast/file
  sync in-fast/file
}

# One more writer everywhere that asked for it; the machine is killed while they run. Before that everything is committed as a
# whole: the kernel does not always replay what only fast commits hold.
ready() {
  sync
  while read -r place; do
    (
      cd "$place" || exit
      number=0
      while :; do
        number=$((number + 1))
        mkdir late-$number
        seq 1 $number >late-$number/text
        for name in a b c; do : >late-$number/$name; done
        [ $number -lt 5 ] || rm -rf late-$((number - 4))
        [ $((number % 7)) != 0 ] || sync late-$number/text
      done
    ) </dev/null >/dev/null 2>&1 &
  done </tmp/log/unfinished
  sleep 4
  cat /tmp/log/writers
  echo READY
}
