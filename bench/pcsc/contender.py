# SPDX-License-Identifier: MIT
"""One pcscd with one reader, a client on it, and what the two cost."""
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile

DRIVERS = pathlib.Path("/usr/lib/pcsc/drivers")
LIBCCID = DRIVERS / "ifd-ccid.bundle/Contents/Linux/libccid.so"
VPCD = DRIVERS / "serial/libifdvpcd.so"
PATIENCE = 60  # seconds for whatever a client is asked
VPCD_PORT = 0x8C7C  # the package's own is one less

SERVE = """
. "$1/pcsc/private-pcscd.sh"
pcscd_start "$2" || { echo "! $pcscd_error"; exit 1; }
echo "$pcscd_pid $PCSCLITE_CSOCK_NAME"
read -r _
pcscd_stop
"""


class Contender:
    """`kind`: libccid, handler (over the emulated libusb), virtual (over vbus), images (its .sys files) or vpcd."""

    def __init__(self, kind, source, build, images, level):
        self.kind, self.build = kind, build
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lectern.", dir="/tmp"))  # short: sockets live in it
        self.processes = []
        try:
            self._start(source, images, level)
        except Exception:
            self.stop()
            raise

    def _device(self, images, level):
        handler = self.build / "lib/libifdlectern.so"
        usb = f"usb:{level.usb}:libusb-1.0:1:1:{level.interface}"
        virtual = f"emulated:model={level.model}:card={level.card}"
        return {
            "libccid": (usb, LIBCCID),
            "handler": (usb, handler),
            "virtual": (virtual, handler),
            "images": (f"{virtual}:driver={images}", handler),
            "vpcd": (f"/dev/null:0x{VPCD_PORT:X}", VPCD),
        }[self.kind]

    def _configure(self, images, level):
        device, library = self._device(images, level)
        (self.directory / "reader.conf.d").mkdir()
        channel = f"CHANNELID 0x{VPCD_PORT:X}\n" if self.kind == "vpcd" else ""
        (self.directory / "reader.conf.d/reader").write_text(
            f'FRIENDLYNAME "Reader"\nDEVICENAME {device}\nLIBPATH {library}\n{channel}')
        if library.is_relative_to(DRIVERS):  # which pcscd will not see otherwise
            part = library.relative_to(DRIVERS).parts[0]
            shutil.copytree(DRIVERS / part, self.directory / "drivers" / part, symlinks=True)

    def _start(self, source, images, level):
        self._configure(images, level)
        environment = dict(os.environ)
        self.control = self.directory / "control"
        if self.kind in ("libccid", "handler"):
            self.control = self.directory / "usb"
            environment.update(LECTERN_USB=f"{level.model}:{level.card}", LECTERN_USB_CONTROL=str(self.control),
                               LD_LIBRARY_PATH=str(self.build / "lib/libusb"))
        shell = self._spawn(["sh", "-c", SERVE, "sh", str(source), str(self.directory)], environment)
        said = self._line(shell)
        if said.startswith("!") or not said:
            raise RuntimeError(f"{self.kind}: {said}")
        self.pid, path = said.split()
        if self.kind == "vpcd":
            self._spawn([str(self.build / "bin/bench_pcsc_vpcd"), str(VPCD_PORT)], dict(os.environ))
        self.client = self._spawn([str(self.build / "bin/bench_pcsc"), *level.setup],
                                  dict(os.environ, PCSCLITE_CSOCK_NAME=path))
        self.greeting = self._line(self.client)
        if not self.greeting:
            log = (self.directory / "pcscd.log").read_text(errors="replace")
            raise RuntimeError(f"{self.kind} does not serve {level.model}:{level.card}:\n{log[-2000:]}")

    def _spawn(self, command, environment):
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def _line(self, process):
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        return process.stdout.readline().strip() if ready else ""

    def ask(self, request):
        """Microseconds of each."""
        self.client.stdin.write(request + "\n")
        self.client.stdin.flush()
        samples = self._line(self.client).split()
        if not samples:
            raise RuntimeError(f"{self.kind}: '{request}' failed")
        return [int(sample) / 1000 for sample in samples]

    def wire(self):
        """The reader's counters, None where nothing counts."""
        if self.kind == "vpcd":
            return None
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.control))
            connection.sendall(b"report\n")
            text = b""
            while part := connection.recv(65536):
                text += part
        counters = json.loads(text.rstrip(b"\0"))["readers"][0]
        if "commands" not in counters:
            raise RuntimeError(f"{self.kind}: its bus says nothing; are the images of this build?")
        return counters

    def _tree(self):
        known = [self.pid]
        for pid in known:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                known += (task / "children").read_text().split()
        return known

    def cpu(self):
        """Microseconds of processor time that pcscd and its children's living threads have had."""
        total = 0
        for pid in self._tree():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1000

    def memory(self):
        """KiB: resident, and the proportional share of it."""
        sizes = {"Rss": 0, "Pss": 0}
        for pid in self._tree():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name = line.split(":")[0]
                if name in sizes:
                    sizes[name] += int(line.split()[1])
        return sizes

    def stop(self):
        for process in reversed(self.processes):
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)
