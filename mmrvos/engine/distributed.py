"""What processes on CPUs and on several machines need from the system."""
import contextlib
import ctypes
import fcntl
import gc
import os
import signal
import socket
import struct
import sys

import torch.distributed as torch_dist


def init_gloo() -> None:
    """Connect the processes that ``torchrun`` started, without GPUs.

    gloo takes the address that the host name stands for, which on many
    machines is the loopback interface. For several machines it is told to use
    the interface through which the first machine is reached.
    """
    master = os.environ.get('MASTER_ADDR')
    if master and int(os.environ.get('GROUP_WORLD_SIZE', 1)) > 1:
        with contextlib.suppress(OSError):
            if name := interface_to(master):
                os.environ.setdefault('GLOO_SOCKET_IFNAME', name)
    torch_dist.init_process_group('gloo')


def disconnect() -> None:
    """Disconnect this process from the others, at the end of a program.

    A thread of gloo that releases a tensor while Python ends aborts the
    process, and torchrun calls the finished run failed. gloo ends its threads
    once nothing refers to the group, so call this when the runner is out of
    scope: its model, wrapped for distributed training, refers to it.
    """
    if torch_dist.is_initialized():
        gc.collect()  # runner and loops refer to each other
        torch_dist.destroy_process_group()


def interface_to(host: str) -> str | None:
    """Find the network interface (IPv4) through which a host is reached.

    Returns:
        Its name, or None where the system does not tell.

    Raises:
        OSError: the host is not known or cannot be reached.
    """
    if sys.platform != 'linux':
        return None
    get_address = 0x8915  # SIOCGIFADDR of netdevice(7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((host, 9))  # UDP: nothing is sent
        own = sock.getsockname()[0]
        for _, name in socket.if_nameindex():
            request = struct.pack('256s', name.encode())
            with contextlib.suppress(OSError):  # an interface without address
                reply = fcntl.ioctl(sock.fileno(), get_address, request)
                if socket.inet_ntoa(reply[20:24]) == own:
                    return name
    return None


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it ends."""
    if sys.platform == 'linux':
        set_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
