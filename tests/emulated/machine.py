"""A machine in Bochs, whose CPU has AVX-512: Debian's kernel, Busybox, and a disk with programs to run.

A machine boots in two minutes, runs each job's command in the job's folder, writes what the folders then hold to a second
disk, and turns itself off. A job of a few million instructions takes a tenth of a second.
"""
import gzip
import pathlib
import re
import shutil
import subprocess
import tarfile
import time

# In the order in which they need each other: a disk on the ATA port of Bochs' chip set.
MODULES = ("crct10dif_common", "crct10dif_generic", "crc64", "crc64_rocksoft_generic", "scsi_common", "scsi_mod",
           "crc-t10dif", "crc64-rocksoft", "t10-pi", "sd_mod", "libata", "ata_piix")
MEMORY_MIB = 2048  # the most that Bochs takes
RESULTS_MIB = 1500

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o size=90% tmpfs /tmp
for module in /modules/*; do insmod $module; done
grep -q avx512f /proc/cpuinfo || echo "machine: the CPU has no AVX-512"
tar xf /dev/sda -C /tmp
cd /tmp/jobs
for job in [0-9]*; do
  (cd $job && rm -f status && sh ./command > log 2>&1; echo $? > status; rm -f in.* command)
  echo "done $job"
done
rm -rf programs
tar cf /dev/sdb *
poweroff -f
"""
# What this Bochs says of XSAVEC and XSAVES contradicts itself, and the kernel would do without AVX.
KERNEL_LINE = "console=ttyS0,115200 quiet loglevel=3 mitigations=off random.trust_cpu=on nosmp noapic clearcpuid=321,323"
BOOT = f"default linux\nprompt 0\ntimeout 1\nlabel linux\n kernel vmlinuz\n append initrd=initrd.gz {KERNEL_LINE}\n"
MACHINE = """cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest={memory}, host={memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
display_library: rfb, options="timeout=0"
speaker: enabled=1, mode=none
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
ata0-master: type=disk, path="jobs.img", mode=flat
ata0-slave: type=disk, path="results.img", mode=flat
ata1-master: type=cdrom, path="{boot}", status=inserted
com1: enabled=1, mode=file, dev=serial.txt
clock: sync=none
log: bochs.txt
panic: action=fatal
error: action=ignore
info: action=ignore
"""


def _run(*command, **options):
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, **options)


def _libraries(program):
    """Paths of the shared libraries that a program loads, its loader among them."""
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def make_boot_image(folder, program):
    """Makes folder/boot.iso with what `program` needs to start, and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    depends = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], check=True, capture_output=True, text=True)
    package = re.search(r"Depends: (linux-image-\S+)", depends.stdout).group(1)
    if not list(folder.glob(f"{package}_*.deb")):
        _run("apt-get", "download", "-q", package, cwd=folder, stderr=subprocess.DEVNULL)
    kernel, root, disc = folder / "kernel", folder / "root", folder / "disc"
    for old in (kernel, root, disc):
        shutil.rmtree(old, ignore_errors=True)
    _run("dpkg-deb", "-x", *folder.glob(f"{package}_*.deb"), kernel)
    for name in ("bin", "proc", "sys", "dev", "tmp", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    for index, name in enumerate(MODULES):
        shutil.copy(next(kernel.rglob(f"{name}.ko")), root / "modules" / f"{index:02}-{name}.ko")
    for library in map(pathlib.Path, _libraries(program)):
        target = root / library.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    disc.mkdir()
    names = subprocess.run(["find", "."], cwd=root, check=True, capture_output=True).stdout
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, check=True,
                             capture_output=True).stdout
    (disc / "initrd.gz").write_bytes(gzip.compress(archive, 1))
    shutil.copy(next(kernel.glob("boot/vmlinuz-*")), disc / "vmlinuz")
    shutil.copy("/usr/lib/ISOLINUX/isolinux.bin", disc)
    shutil.copy("/usr/lib/syslinux/modules/bios/ldlinux.c32", disc)
    (disc / "isolinux.cfg").write_text(BOOT)
    image = folder / "boot.iso"
    _run("xorriso", "-as", "mkisofs", "-quiet", "-o", image, "-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot",
         "-boot-load-size", "4", "-boot-info-table", disc, stderr=subprocess.DEVNULL)
    return image


class Machine:
    """One machine at work. `jobs` are folders named by numbers; what their commands run of the folder `programs` lies beside
    them in the machine."""

    def __init__(self, folder, boot, jobs, programs):
        self.folder, self.jobs = folder, jobs
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tarfile.open(folder / "jobs.img", "w") as disk:
            for name in {re.search(r"programs/(\w+)", (job / "command").read_text()).group(1) for job in jobs}:
                disk.add(programs / name, f"jobs/programs/{name}")
            for job in jobs:
                disk.add(job, f"jobs/{job.name}")
        _run("truncate", "-s", "%1M", folder / "jobs.img")
        _run("truncate", "-s", f"{RESULTS_MIB}M", folder / "results.img")
        (folder / "bochsrc").write_text(MACHINE.format(memory=MEMORY_MIB, boot=boot))
        (folder / "go").write_text("c\n")  # Debian's Bochs waits in its debugger
        self.process = subprocess.Popen(["bochs", "-q", "-f", "bochsrc", "-rc", "go"], cwd=folder,
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def progress(self):
        """How many jobs are done."""
        serial = self.folder / "serial.txt"
        return serial.read_text(errors="replace").count("done ") if serial.exists() else 0

    def finish(self):
        """Takes the results to the jobs' folders, where the machine has come to its end; raises RuntimeError if not."""
        self.process.stdin.close()
        if self.progress() < len(self.jobs):
            serial = self.folder / "serial.txt"
            said = serial.read_text(errors="replace")[-1000:] if serial.exists() else "nothing"
            raise RuntimeError(f"the machine in {self.folder} stopped after {self.progress()} of {len(self.jobs)} jobs; "
                               f"it said: {said}")
        with tarfile.open(self.folder / "results.img") as disk:
            disk.extractall(self.jobs[0].parent)
        for image in self.folder.glob("*.img"):
            image.unlink()


def run_jobs(folder, jobs, programs, machines, limit, tell):
    """Runs the jobs on so many machines for at most `limit` seconds; tell(done) is called as they end."""
    boot = make_boot_image(folder / "boot", next(programs.iterdir()))
    running = [Machine(folder / f"machine{i}", boot, jobs[i::machines], programs)
               for i in range(min(machines, len(jobs)))]
    end, done = time.monotonic() + limit, 0
    try:
        while any(machine.process.poll() is None for machine in running) and time.monotonic() < end:
            time.sleep(5)
            before, done = done, sum(machine.progress() for machine in running)
            if done != before:
                tell(done)
    finally:
        for machine in running:
            machine.process.kill()
    for machine in running:
        machine.finish()
