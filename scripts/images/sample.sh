#!/bin/bash
# Makes samples/debian.qcow2: a small real guest, for `npm start`, for the tests and for trying things out. Debian's
# minimal system with most of its programs, libraries and documents taken away, on GPT with an EFI system partition
# and an ext4 root; compressed inside the qcow2 (zlib), so that nothing has to be unpacked. And what the kernel (in the
# appliance) sees in it: test/golden/truth/sample*.truth.jsonl.gz.
#   scripts/images/sample.sh [WORK_DIRECTORY]      default: .cache/images/work/sample
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
. "$here/guest.sh"
require debootstrap guestfish node mke2fs sgdisk mkfs.vfat mcopy qemu-img grub-mkimage setfattr setfacl
[ "$(id -u)" = 0 ] || die 'debootstrap needs root'

work=${1:-$here/../../.cache/images/work/sample}
mkdir -p "$work"
work=$(cd "$work" && pwd)
root=$work/root
target=$(cd "$here/../.." && pwd)/samples/debian.qcow2

# keep DIRECTORY NAME…: of the files and links in it, only these.
keep() {
  local directory=$1 file
  shift
  for file in "$root/$directory"/*; do
    case " $* " in *" ${file##*/} "*) continue ;; esac
    [ -d "$file" ] && [ ! -L "$file" ] || rm -f "$file"
  done
}

strap "$work/plain" systemd-sysv openssh-server cron logrotate netbase
rm -rf "$root"
cp -a "$work/plain" "$root"

# its programs and libraries, but for some
keep usr/bin bash sh dash cat ls cp mv rm ln mkdir chmod chown date echo env false true grep egrep fgrep gzip gunzip zcat head tail \
  hostname id mount umount sed sleep sort stat sync touch uname which.debianutils awk mawk more systemd-detect-virt
keep usr/sbin init agetty cron shutdown reboot halt poweroff nologin chroot
keep usr/lib/x86_64-linux-gnu libc.so.6 libselinux.so.1 libtinfo.so.6 libtinfo.so.6.4 libacl.so.1 libacl.so.1.1.2301 \
  libpcre2-8.so.0 libpcre2-8.so.0.11.2 ld-linux-x86-64.so.2 libcap.so.2 libattr.so.1 libattr.so.1.1.2501
find "$root"/usr/lib/x86_64-linux-gnu -mindepth 1 -maxdepth 1 -type d ! -name security -exec rm -rf {} +
find "$root"/usr/lib/systemd "$root"/usr/lib/openssh "$root"/usr/lib/apt "$root"/usr/libexec -type f -size +24k -delete 2>/dev/null || true
rm -rf "$root"/usr/share/{perl,perl5,bash-completion,gcc,gdb,polkit-1,debconf,misc,pam,keyrings,zsh,bug,lintian,menu,info,i18n} \
  "$root"/usr/lib/{udev,python3,python3.11,apt,ssl,valgrind,dpkg,init,sasl2} "$root"/var/cache/* "$root"/var/lib/{systemd/catalog,apt}/* "$root"/usr/include
find "$root"/usr/share/locale "$root"/usr/share/man -mindepth 1 -maxdepth 1 ! -name de ! -name 'man[158]' -exec rm -rf {} +
find "$root"/usr/share/{locale,man} -type f -size +6k -delete
find "$root"/usr/share/doc -type f ! -name copyright -delete
find "$root"/usr/share/doc -type f -size +8k -delete
find "$root"/usr/share/zoneinfo -mindepth 1 -maxdepth 1 ! -name Europe ! -name Etc ! -name UTC ! -name GMT -exec rm -rf {} +
find "$root"/etc/ssl/certs "$root"/usr/share/ca-certificates -mindepth 1 -delete 2>/dev/null || true
find "$root"/var/lib/dpkg/info -type f ! -name '*.list' ! -name '*.conffiles' ! -name format -delete
find "$root"/var/lib/dpkg/info -name '*.list' -size +24k -delete
rm -rf "$root"/usr/lib/systemd/catalog
rm -f "$root"/var/log/{bootstrap,dpkg,alternatives}.log "$root"/var/lib/dpkg/*-old "$root"/etc/ld.so.cache
dress "$root"
echo 'Nov 14 22:13:19 start' | put 644 "$root/var/log/dpkg.log"

fetch_deb grub-efi-amd64-bin "$work/grub"
boot_files "$work/grub" "$work/efi"
find "$work/efi" -exec touch -d "$born" {} +
gpt_disk "$work/debian.raw" $((512 * MiB)) "$root" "$work/efi" 15 16 4
nice qemu-img convert -c -f raw -O qcow2 -o compression_type=zlib "$work/debian.raw" "$target.part"
mv "$target.part" "$target"
size=$(stat -c %s "$target")
say "$target: $((size / 1024)) KiB"
[ "$size" -le $((8 * MiB)) ] || die 'larger than 8 MiB'

# and what the kernel sees in it, for the golden walk
"$here/kernel-truth.sh" "$work" debian.raw:2:ext4:sample debian.raw:1:vfat:sample-efi
cp "$work"/sample.truth.jsonl.gz "$work"/sample-efi.truth.jsonl.gz "$here/../../test/golden/truth/"
