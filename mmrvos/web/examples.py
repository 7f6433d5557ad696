"""Videos of Moving Shapes for visitors without one of their own."""
from pathlib import Path

from mmrvos.moving_shapes.videos import SIZES, make_video
from mmrvos.visualization import write_video

FPS = 6
#: Validation videos of Moving Shapes (small), and sentences about them.
EXAMPLES = {
    31: ('the rightmost striped square',
         'the medium yellow object that goes round',
         'the blue striped object which moves down and to the right'),
    15: ('the lowest medium circle',
         'the medium square that goes to the right',
         'the yellow square just above the purple dotted disc'),
    1: ('the orange circle', 'at the left the dotted orange one',
        'the cyan square which travels up and left'),
}


def make_examples(folder: Path) -> list[tuple[Path, str]]:
    """Make example videos.

    Args:
        folder: where they are written.

    Returns:
        A video file and its sentences, one per line, for each example.
    """
    made = []
    for index, sentences in EXAMPLES.items():
        path = folder / f'shapes_{index}.mp4'
        video = make_video(SIZES['small'], 'valid', index).video
        write_video(path, video.frames, FPS)
        made.append((path, '\n'.join(sentences)))
    return made
