#!/usr/bin/env bash
# Reads V4L2 cameras that the kernel's vivid driver makes, in a virtual machine.
#
#     apt-get install --no-install-recommends qemu-system-x86 cpio kmod
#     tests/vivid/check.sh [PYTEST OPTIONS]
#
# The machine runs Debian's kernel and sees this one's files, which it cannot change. Outside CI, because it needs
# a kernel of 70 MB, which is fetched once into .cache/vivid. VENV=... is a virtual environment with edgecore and
# pytest (.venv).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=$PWD/${VENV:-.venv}/bin/python
cache=$PWD/.cache/vivid
for program in qemu-system-x86_64 cpio modprobe depmod; do
    command -v "$program" >/dev/null || { echo "$program is missing; see the top of $0" >&2; exit 2; }
done

if [[ ! -d $cache/kernel ]]; then
    rm -rf "$cache.new"
    mkdir -p "$cache.new"
    kernel=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" {print $2; exit}')
    (cd "$cache.new" && apt-get download -q "$kernel" busybox-static)
    dpkg -x "$cache.new"/linux-image-*.deb "$cache.new/kernel"
    dpkg -x "$cache.new"/busybox-static_*.deb "$cache.new/busybox"
    rm "$cache.new"/*.deb
    rm -rf "$cache"
    mv "$cache.new" "$cache"
fi
release=$(ls "$cache/kernel/lib/modules")

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,proc,sys,dev,host,modules}
cp "$cache/busybox/bin/busybox" "$root/bin/"
depmod -b "$cache/kernel" "$release"
for module in virtio_pci 9pnet_virtio 9p vivid; do
    modprobe -d "$cache/kernel" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' | while read -r path; do
    cp "$path" "$root/modules/"
    echo "${path##*/}" >>"$root/modules/order"
done

cat >"$root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
while read -r module; do
    options=
    # Two cameras, each a webcam that knows a few sizes and rates.
    [ "\$module" = vivid.ko ] && options="n_devs=2 node_types=0x1,0x1 num_inputs=1,1 input_types=0,0"
    insmod /modules/\$module \$options || echo "insmod \$module failed"
done </modules/order
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=524288 host /host
mount -t proc none /host/proc
mount -t sysfs none /host/sys
mount -t devtmpfs none /host/dev
mount -t tmpfs none /host/run
chroot /host /usr/bin/env -i PATH=/usr/bin:/bin HOME=/run TMPDIR=/run PYTHONDONTWRITEBYTECODE=1 \\
    sh -c 'cd "$PWD" && exec "$python" -m pytest -p no:cacheprovider $* tests/vivid/check_camera.py'
echo "status of the check: \$?"
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$root.cpio.gz"
trap 'rm -rf "$root" "$root.cpio.gz"' EXIT

timeout 600 qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 1536 -nographic -no-reboot -nic none \
    -kernel "$cache/kernel/boot/vmlinuz-$release" -initrd "$root.cpio.gz" -append 'console=ttyS0 quiet panic=-1' \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap </dev/null | tee "$root/said"
grep -q 'status of the check: 0' "$root/said"
