"""The page: its parts, and what they do."""
import secrets
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from mmrvos.command_line import USER_ERRORS
from mmrvos.utils import mask_areas

from .private_files import PrivateFiles
from .segmenter import Answer, Segmenter

INTRODUCTION = '''# Segment a video by sentences
Upload or record a video (at most {frames} frames and {megabytes} MB), write
what to segment, one sentence per line, and choose a model. The shipped models
`referformer_tiny_shapes*` know the coloured shapes of the examples only.
'''
HEADERS = ['number', 'score', 'frames with a mask', 'sentence']
#: Seconds between two deletions of old files, and their age.
CLEANING = 60, 3600


class Page:
    """The page for all visitors.

    Args:
        names: of the models, the first is the default.
        segmenter: answers the requests, one at a time.
        files: who may read which file.
        folder: of all files, ``GRADIO_TEMP_DIR``.
        examples: video files and sentences, see :func:`make_examples`.
    """

    def __init__(self, names: Sequence[str], segmenter: Segmenter,
                 files: PrivateFiles, folder: Path,
                 examples: Sequence[tuple[Path, str]]) -> None:
        self.segmenter = segmenter
        self.files = files
        self.folder = folder
        self.blocks = self._build(names, examples)

    def _build(self, names: Sequence[str],
               examples: Sequence[tuple[Path, str]]) -> gr.Blocks:
        limits = self.segmenter.limits
        with gr.Blocks(
                title='mmrvos', analytics_enabled=False,
                delete_cache=CLEANING) as blocks:
            gr.Markdown(
                INTRODUCTION.format(
                    frames=limits.frames, megabytes=limits.megabytes))
            with gr.Row():
                with gr.Column():
                    video = gr.Video(
                        label='Video',
                        sources=['upload', 'webcam'],
                        include_audio=True,
                        elem_id='video')
                    text = gr.Textbox(
                        label='Sentences, one per line',
                        lines=3,
                        max_lines=limits.sentences,
                        elem_id='sentences')
                    model = gr.Dropdown(
                        list(names), value=names[0], label='Model')
                    min_score = gr.Slider(
                        0, 1, 0, step=0.05, label='Lowest score',
                        info='A sentence with a lower score is not found.')
                    button = gr.Button(
                        'Segment', variant='primary', elem_id='segment')
                with gr.Column():
                    status = gr.Textbox(
                        label='Status', interactive=False, elem_id='status')
                    overlay = gr.Video(
                        label='Masks',
                        interactive=False,
                        autoplay=True,
                        elem_id='overlay')
                    table = gr.Dataframe(
                        headers=HEADERS,
                        label='Scores',
                        interactive=False,
                        wrap=True,
                        elem_id='scores')
                    masks = gr.DownloadButton(
                        'Download the masks', interactive=False,
                        elem_id='masks')
            gr.Examples(
                [[str(path), sentences] for path, sentences in examples],
                [video, text],
                label='Examples, for the shipped models',
                api_visibility='private')
            button.click(
                self.answer, [video, text, model, min_score],
                [status, overlay, table, masks],
                show_progress_on=[overlay],
                api_visibility='private')
            blocks.load(self.opened, api_visibility='private')
            blocks.unload(self.closed)
        return blocks.queue(max_size=32, default_concurrency_limit=1)

    def opened(self, request: gr.Request) -> None:
        """Note a new tab."""
        if owner := request.cookies.get(self.files.cookie):
            self.files.open_tab(owner)

    def closed(self, request: gr.Request) -> None:
        """Delete the files of a browser with its last tab."""
        if owner := request.cookies.get(self.files.cookie):
            self.files.close_tab(owner)

    def answer(self, video: str | None, text: str, model: str,
               min_score: float, request: gr.Request,
               progress=gr.Progress()) -> tuple:  # noqa: B008
        """Segment a video.

        Returns:
            Status, overlay, rows of the table, and masks.
        """
        owner = request.cookies.get(self.files.cookie)
        try:
            sentences = self.segmenter.limits.split(text)
            if video is None:
                raise ValueError('no video is given: upload or record one')
            if not self.files.may_read(video, owner):
                raise ValueError(
                    'the video does not belong to this browser: allow '
                    'cookies, load the page again and upload the video again')
            if not Path(video).is_file():
                raise ValueError(f'{video} was deleted: upload it again')
            folder = self.folder / secrets.token_hex(16)
            folder.mkdir()
            self.files.add(folder, owner)
            answer = self.segmenter(
                model, Path(video), sentences, folder, min_score,
                lambda what, *frames: progress(frames, what, unit='frames'))
        except USER_ERRORS as error:
            return failed(hide_folder(str(error), video))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return failed(f'internal error ({type(error).__name__}): see the '
                          'terminal of mmrvos web')
        return succeeded(answer, video)


def failed(message: str) -> tuple:
    """Show a message in place of results."""
    return (f'Error: {message}', None, None,
            gr.DownloadButton(value=None, interactive=False))


def succeeded(answer: Answer, video: str) -> tuple:
    """Show results."""
    frames = len(answer.results[0].rles)
    rows = [[
        number, f'{result.score:.2f}',
        f'{(mask_areas(result.rles) > 0).sum()} of {frames}', result.text
    ] for number, result in enumerate(answer.results)]
    notes = [f'Warning: {hide_folder(note, video)}' for note in answer.notes]
    return ('\n'.join([f'{frames} frames are segmented.', *notes]),
            answer.overlay and str(answer.overlay), rows,
            gr.DownloadButton(value=str(answer.masks), interactive=True))


def hide_folder(message: str, video: str | None) -> str:
    """Replace the path of the video on this machine by its name."""
    return message.replace(video, Path(video).name) if video else message
