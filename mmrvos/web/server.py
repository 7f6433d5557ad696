"""Serve the page until the process is told to end."""
import os
import signal
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir

from mmrvos.utils.unfinished import unfinished_folder
from mmrvos.visualization.encoders import has_h264

from .examples import make_examples
from .private_files import PrivateFiles, PrivateFilesMiddleware
from .segmenter import Segmenter


def serve(names: Sequence[str], segmenter: Segmenter, host: str,
          port: int) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    All files are in a temporary folder that is deleted at the end. The folder
    of a process that was killed is deleted by the next one.

    Args:
        names: of the models, the first is the default.
        segmenter: answers the requests.
        host, port: address of the page.

    Raises:
        OSError: the address cannot be used, see :func:`check_address`.
        ValueError: gradio is not installed.
    """
    import_gradio()
    from starlette.middleware import Middleware  # comes with gradio

    from .page import Page
    with unfinished_folder(Path(gettempdir())) as folder:
        os.environ['GRADIO_TEMP_DIR'] = str(folder)
        public = folder / 'examples'
        files = PrivateFiles(public)
        page = Page(names, segmenter, files, folder, make_examples(public))
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        page.blocks.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            max_file_size=f'{segmenter.limits.megabytes}mb',
            app_kwargs=dict(
                middleware=[Middleware(PrivateFilesMiddleware, files=files)]),
            run_history=False,
            footer_links=[],
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False)
        if not has_h264():
            print('PyAV is missing: browsers will not play the masks '
                  '(pip install av)')
        print(f'The page is at http://{host}:{port} (Ctrl-C ends it)',
              flush=True)
        try:
            ended.wait()
        finally:
            page.blocks.close(verbose=False)


def check_address(host: str, port: int) -> None:
    """Check that a server can be started.

    Raises:
        OSError: the address is in use or not of this machine.
        ValueError: the port is out of range.
    """
    if not 0 < port < 2**16:
        raise ValueError(f'--port {port}: expected 1 to {2**16 - 1}')
    try:
        family, kind, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise OSError(f'the page cannot be served at {host}:{port} ({error}): '
                      'choose another --host or --port') from None


def import_gradio() -> None:
    """Import gradio without its reports to the outside.

    Raises:
        ValueError: it is not installed.
    """
    os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
    os.environ['HF_HUB_DISABLE_TELEMETRY'] = '1'
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise ValueError(f'mmrvos web needs gradio ({error}): pip install '
                         "'gradio>=6,<7'") from None
