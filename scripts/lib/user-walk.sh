# Walks by a kernel that is a process of this machine: read with `.`, behind host-image.sh.

# The modules of that kernel, for FAT and logical volumes; each before those that need it.
user_modules='fat nls_cp437 nls_ascii nls_utf8 vfat dm-mod'

# walk_here FOLDER TRUTH DIRECTORY FILE:WHERE:TYPE:NAME…: one start of it, for at most 15 files of DIRECTORY. WHERE is 0 (the whole
# disk), a partition's number or GROUP/VOLUME. What it shows lies in TRUTH, a folder for each name. Changes, as of a log that is
# replayed, go to files of their own.
walk_here() {
  local folder=$1 truth=$2 directory=$3 spec file where type name device files=() count=0
  shift 3
  mkdir "$folder"
  {
    cat "$lib/tree-listing.sh"
    for name in $user_modules; do
      find /usr/lib/uml/modules -name "$name.ko" -exec echo insmod {} \;
    done
    # without udev, and without a copy of the metadata in this machine's own files
    case " $* " in
      *:*/*:*) echo "vgchange -ay --config 'activation{udev_sync=0 udev_rules=0} backup{backup=0 archive=0}' >&2" ;;
    esac
    for spec; do
      IFS=: read -r file where type name <<<"$spec"
      files+=("$folder/change$((++count)),$directory/$file")
      case $where in
        */*) device=/dev/$where ;;
        *) device=/dev/ubd$(tr 0-9a-f _a-o <<<"$(printf %x "$count")")${where#0} ;;
      esac
      # as Debian's kernel mounts it by itself
      printf "walk '%s' %s '%s' %s\n" "$name" "$device" "$type" "$([ "$type" != vfat ] || echo utf8=1,iocharset=ascii)"
    done
    echo "cp -r /tmp/truth/. $truth"
  } >"$folder/script"
  user_kernel "$folder" "${files[@]}" || cat "$folder/said" >&2
  rm -rf "$folder"
}

# write_here FOLDER NAME WRITERS CALL FILE…: one start of it, in which the functions of the script WRITERS, by the line CALL, fill
# the files and walk through what is NAME. What that shows lies in FOLDER/truth/NAME.
write_here() {
  local folder=$1 name=$2 writers=$3 call=$4
  shift 4
  {
    cat "$lib/tree-listing.sh" "$writers"
    echo "$call"
    echo "cp -r /tmp/truth/. $folder/truth"
  } >"$folder/script"
  mkdir -p "$folder/truth"
  user_kernel "$folder" "$@" && [ -d "$folder/truth/$name" ] && ! grep -aE '^(REFUSED|FAILED)' "$folder/said" ||
    { cat "$folder/said" "$folder/truth/log" >&2; die "$name failed"; }
}
