"""The measuring code of benchmark.py."""
import threading

import pytest
import torch
import torch.nn.functional as F
from benchmarking.flop_counter import FlopCounter
from benchmarking.meter import Meter, watch
from benchmarking.turns import serve, take_turns
from torch import nn

from mmrvos.models.layers import sample_levels

from .threads import Threads


def test_a_part_excludes_the_parts_that_it_calls():
    passed = 0.

    class Model(nn.Module):

        def __init__(self):
            super().__init__()
            self.inner = nn.Identity()

        def outer(self):
            wait(1)
            for _ in range(2):
                self.inner(0)
            return 'done'

    def wait(seconds):
        nonlocal passed
        passed += seconds

    model = Model()
    model.inner.forward = lambda x: wait(5)
    meter = Meter(lambda: passed)
    watch(model, meter, [('outer', '', 'outer'), ('inner', 'inner', 'forward'),
                         ('absent', 'no', 'one')])
    assert model.outer() == 'done'
    assert meter.parts == dict(outer=1, inner=10)


@pytest.mark.parametrize(('run', 'flops'), [
    (lambda: nn.Linear(3, 5)(torch.zeros(7, 3)), 2 * 7 * 3 * 5),
    (lambda: F.grid_sample(torch.zeros(1, 4, 3, 3), torch.zeros(1, 2, 5, 2),
                           align_corners=False), 8 * 4 * 2 * 5),
    # deformable: five queries, two heads of 4, three points
    (lambda: sample_levels(
        torch.zeros(1, 6, 2, 4), [(2, 3)], torch.zeros(1, 5, 2, 1, 3, 2),
        torch.zeros(1, 5, 2, 1, 3)), 8 * 5 * 2 * 4 * 3),
    # two heads of 4: query times key, then weights times value
    (lambda: F.scaled_dot_product_attention(*torch.zeros(3, 1, 2, 6, 4)),
     2 * 2 * 2 * 6 * 6 * 4),
])
def test_flops(run, flops):
    with torch.no_grad(), FlopCounter() as counter:
        run()
    assert counter.total() == flops


def test_fused_layers_are_counted():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    with torch.no_grad(), FlopCounter() as counter:
        layer(torch.zeros(1, 6, 8))
    projections, ffn = 4 * 2 * 6 * 8 * 8, 2 * 2 * 6 * 8 * 16
    assert counter.total() == projections + ffn + 2 * 2 * 6 * 6 * 8
    assert torch.backends.mha.get_fastpath_enabled()


def test_turns(monkeypatch):
    monkeypatch.setattr('multiprocessing.get_context', lambda method: Threads)
    order = []

    def worker(name, connection):
        serve(connection, f'{name} is ready',
              lambda: order.append(name) or len(order),
              lambda: f'{name} ends')

    measured = take_turns({'a': (worker, ('a', )), 'b': (worker, ('b', ))}, 2)
    assert order == ['a', 'b', 'a', 'b']
    assert measured['b'].ready == 'b is ready'
    assert measured['b'].turns == [2, 4]
    assert measured['a'].end == 'a ends'


@pytest.mark.filterwarnings(
    'ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_a_process_that_ends_early(monkeypatch):
    monkeypatch.setattr('multiprocessing.get_context', lambda method: Threads)
    monkeypatch.setattr(threading, 'excepthook', lambda args: None)

    def worker(connection):
        raise RuntimeError

    with pytest.raises(ChildProcessError, match='a: its process ended early'):
        take_turns({'a': (worker, ())}, 1)


def test_an_error_of_the_input_reaches_the_caller(monkeypatch):
    monkeypatch.setattr('multiprocessing.get_context', lambda method: Threads)

    def worker(connection):
        raise FileNotFoundError('x.pth is missing')

    with pytest.raises(FileNotFoundError, match='x.pth is missing'):
        take_turns({'a': (worker, ())}, 1)
