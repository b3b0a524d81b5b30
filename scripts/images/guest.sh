# The Debian guest that the sample and the real images hold; read with `.` after ../lib/host-image.sh.

root_uuid=6c1c2f0e-2c0b-4f53-9b1e-7a5d1f3c8e21
home_uuid=1f0a7a86-93d4-4a0f-8a43-5c8d2b90e7aa
swap_uuid=b0c1b7de-5a1f-4e0b-b5a4-22f1f6f7d9c3
efi_volume_id=5EAF00D5
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=bookworm
born=@1700000000 # the time stamp of everything these scripts write themselves

# strap DIRECTORY [PACKAGE…]: Debian's minimal system and those packages.
strap() {
  local root=$1 part="$1.part"
  shift
  [ ! -d "$root" ] || return 0
  rm -rf "$part"
  nice debootstrap --variant=minbase ${1:+--include="$(IFS=,; echo "$*")"} "$suite" "$part" "$mirror" >"$part.log" 2>&1 ||
    die "debootstrap failed: see $part.log"
  umount "$part/proc" "$part/sys" 2>/dev/null || true # debootstrap mounts them, and leaves them so in a container
  ! grep -q " $part/" /proc/mounts || die "still mounted below $part: $(grep " $part/" /proc/mounts)"
  rm -rf "$part"/var/cache/apt/archives/*.deb "$part"/var/lib/apt/lists/*
  mv "$part" "$root"
}

# put MODE PATH <<text: a file of the guest with that text.
put() {
  mkdir -p "$(dirname "$2")"
  cat >"$2"
  chmod "$1" "$2"
  touch -d "$born" "$2"
}

# dress DIRECTORY: what makes a new system somebody's machine: its name, its disks, its people, their files.
dress() {
  local root=$1 user=$1/home/ada
  echo dolphin | put 644 "$root/etc/hostname"
  printf '127.0.0.1\tlocalhost\n127.0.1.1\tdolphin.example.org dolphin\n::1\tlocalhost ip6-localhost\n' | put 644 "$root/etc/hosts"
  put 644 "$root/etc/fstab" <<END
# <file system>                            <mount point> <type> <options>            <dump> <pass>
UUID=$root_uuid  /             ext4   errors=remount-ro    0      1
UUID=${efi_volume_id:0:4}-${efi_volume_id:4}                                /boot/efi      vfat   umask=0077           0      1
tmpfs                                      /tmp          tmpfs  defaults,nosuid       0      0
END
  put 644 "$root/etc/ssh/sshd_config" <<END
Include /etc/ssh/sshd_config.d/*.conf
PermitRootLogin no
PasswordAuthentication no
X11Forwarding no
Subsystem sftp /usr/lib/openssh/sftp-server
END
  put 644 "$root/etc/network/interfaces" <<END
auto lo eth0
iface lo inet loopback
iface eth0 inet dhcp
END
  echo 'nameserver 192.0.2.53' | put 644 "$root/etc/resolv.conf"
  rm -f "$root"/etc/ssh/ssh_host_*_key* # an image that is passed on holds no keys; a real machine makes its own at the first boot
  echo 0b3b6e5a3a1a4c6f9d0c2b7f7d9e5a11 | put 444 "$root/etc/machine-id"
  grep -q '^ada:' "$root/etc/passwd" || {
    echo 'ada:x:1000:1000:Ada,,,:/home/ada:/bin/bash' >>"$root/etc/passwd"
    echo 'ada:!:19675:0:99999:7:::' >>"$root/etc/shadow"
    echo 'ada:x:1000:' >>"$root/etc/group"
  }
  put 640 "$root/var/log/syslog" <<END
Nov 14 22:13:20 dolphin systemd[1]: Startup finished in 1.4s (kernel) + 3.9s (userspace) = 5.3s.
Nov 14 22:13:21 dolphin sshd[412]: Server listening on 0.0.0.0 port 22.
Nov 14 22:17:01 dolphin CRON[530]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)
END
  chown 0:4 "$root/var/log/syslog"
  mkdir -p "$root/boot/efi" "$user"
  cp -a "$root/etc/skel/." "$user/"
  printf '# Notes\n\nThe quick brown fox.\n' | put 644 "$user/notes.md"
  printf 'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\n' | put 644 "$user/Überblick.txt"
  ln -f "$user/notes.md" "$user/notes-again.md"
  ln -sfn notes.md "$user/latest"
  ln -sfn /etc/os-release "$user/which-system"
  ln -sfn ../../../../../../../../etc/hostname "$user/up-and-away"
  ln -sfn no/such/file "$user/dangling"
  put 755 "$user/bin/hello" <<END
#!/bin/sh
echo "hello from \$(hostname)"
END
  local year month
  for year in 2021 2022 2023; do
    for month in 01 04 07 10; do
      printf 'year,month,reading\n%s,%s,%s\n' $year $month $((year * 7 % 97 + 10#$month)) | put 640 "$user/data/$year/$month.csv"
    done
  done
  mkdir -p "$user/.ssh"
  echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ5IG5vIG1lYW5zIGEgcmVhbCBrZXksIGJ1dCAz ada@dolphin' | put 600 "$user/.ssh/authorized_keys"
  chmod 700 "$user/.ssh"
  truncate -s 16M "$user/sparse.img"
  printf 'first' | dd of="$user/sparse.img" conv=notrunc bs=1 status=none
  printf 'middle' | dd of="$user/sparse.img" conv=notrunc bs=1 seek=8388608 status=none
  chown -hR 1000:1000 "$user"
  chmod 700 "$user"
  setfattr -n user.mime_type -v text/markdown "$user/notes.md"
  setfattr -n user.long -v "$(printf '%0300d' 7)" "$user/notes.md"
  setfacl -m u:33:r,g:4:rw "$user/data/2023/01.csv"
  setfacl -m u:33:rx -m d:u:33:rx "$user/data"
  mkdir -p "$root/srv/shared" && chmod 2775 "$root/srv/shared"
  find "$user" "$root/srv/shared" \( -type d -o -type l -o -name sparse.img \) -exec touch -h -d "$born" {} +
}

# boot_files GRUB_PACKAGE DIRECTORY: an EFI system partition's tree, with a working GRUB image.
boot_files() {
  local grub=$1/usr/lib/grub/x86_64-efi tree=$2
  rm -rf "$tree"
  mkdir -p "$tree/EFI/BOOT" "$tree/EFI/debian"
  grub-mkimage -O x86_64-efi -d "$grub" -p /EFI/debian -o "$tree/EFI/debian/grubx64.efi" \
    part_gpt fat ext2 normal linux configfile search search_fs_uuid echo
  cp "$tree/EFI/debian/grubx64.efi" "$tree/EFI/BOOT/BOOTX64.EFI"
  put 644 "$tree/EFI/debian/grub.cfg" <<END
search.fs_uuid $root_uuid root
set prefix=(\$root)'/boot/grub'
configfile \$prefix/grub.cfg
END
  printf 'grubx64.efi,debian,,This is the boot entry for Debian\r\n' | iconv -t UTF-16LE | put 644 "$tree/EFI/debian/BOOTX64.CSV"
}

# gpt_disk FILE SIZE ROOT_DIRECTORY EFI_TREE [EFI_MIB FAT_BITS SECTORS_PER_CLUSTER]: GPT with 512-byte sectors, an EFI
# system partition at 1 MiB, and an ext4 root behind it.
gpt_disk() {
  local disk=$1 size=$2 root=$3 tree=$4 efi_mib=${5:-63} fat=${6:-32} cluster=${7:-1}
  local first=$((2048 + efi_mib * 2048)) last=$((size / 512 - 2048 - 1))
  sparse "$size" "$disk"
  sparse $((efi_mib * MiB)) "$disk.efi"
  mkfs.vfat -F "$fat" -s "$cluster" -n ESP -i $efi_volume_id "$disk.efi" >/dev/null
  mcopy -s -m -Q -i "$disk.efi" "$tree/EFI" ::/
  dd if="$disk.efi" of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
  rm "$disk.efi"
  nice mke2fs -q -F -t ext4 -b 4096 -U $root_uuid -L root -M / -d "$root" \
    -E "offset=$((first * 512)),hash_seed=8d6f1e0b-7c3c-4c5f-a4e5-0c3b0f7d1a04" "$disk" $(((last - first + 1) / 2))k
  sgdisk -U 8D6F1E0B-7C3C-4C5F-A4E5-0C3B0F7D1A01 \
    -n "1:2048:$((first - 1))" -t 1:EF00 -c 1:'EFI System Partition' -u 1:8D6F1E0B-7C3C-4C5F-A4E5-0C3B0F7D1A02 \
    -n "2:$first:$last" -t 2:8304 -c 2:root -u 2:8D6F1E0B-7C3C-4C5F-A4E5-0C3B0F7D1A03 "$disk" >/dev/null
}
