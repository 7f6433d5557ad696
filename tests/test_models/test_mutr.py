"""MUTR on a tiny model; golden cases compare its numbers."""
import pytest
import torch
from mmengine.config import Config

from mmrvos.models.decoders import TemporalInteraction
from mmrvos.models.fusions import CrossModalFusion, TemporalAggregation
from mmrvos.registry import MODELS

from .tiny import CONFIGS, make_batch, several_queries

SMALL = dict(
    num_queries=2, embed_dims=8, num_heads=2, feedforward_channels=16)


def interaction(**changes) -> TemporalInteraction:
    torch.manual_seed(0)
    return TemporalInteraction(**(SMALL | changes)).eval()


def mutr_model(**changes) -> torch.nn.Module:
    """The tiny MUTR, with box heads that do not start at zero."""
    cfg = Config.fromfile(CONFIGS / 'mutr/tiny_shapes.py')
    several_queries(cfg.model, 5)
    cfg.model.category_head = None  # trained in another stage
    cfg.merge_from_dict(
        {f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    for branch in model.head.box_branches:
        torch.nn.init.normal_(branch.layers[-1].weight, std=0.1)
    return model.eval()


def tensors(model, batch):
    with torch.no_grad():
        return model(**model.data_preprocessor(batch, True), mode='tensor')


def groups(module: TemporalInteraction, layers: int,
           num_frames: int) -> list[set[int]]:
    """Return, for each frame, the frames that its encoded queries depend on
    after the first ``layers`` encoder layers."""
    module.encoder = module.encoder[:layers]
    queries = torch.randn(1, num_frames, 2, 8, requires_grad=True)
    encoded = module.encode(queries)
    sources = []
    for frame in range(num_frames):
        gradient, = torch.autograd.grad(
            encoded[0, frame].square().sum(), queries, retain_graph=True)
        seen = gradient[0].abs().sum((1, 2)) > 1e-9
        sources.append(set(seen.nonzero().flatten().tolist()))
    return sources


@pytest.mark.parametrize('num_frames', [1, 2, 4, 7, 10])
def test_windows_of_the_first_layer(num_frames):
    expected = [{u for u in range(num_frames) if u // 4 == t // 4}
                for t in range(num_frames)]
    assert groups(interaction(), 1, num_frames) == expected


@pytest.mark.parametrize('num_frames', [1, 3, 7, 10])
@pytest.mark.parametrize('training,shift_in_training',
                         [(False, False), (True, False), (True, True)])
def test_windows_of_the_second_layer(num_frames, training, shift_in_training):
    module = interaction(
        shift_in_training=shift_in_training, dropout=0.).train(training)
    shift = 2 if shift_in_training or not training else 0
    # the first layer extends each frame of the window to its own window
    expected = [{
        v for u in range(num_frames) if (u + shift) // 4 == (t + shift) // 4
        for v in range(num_frames) if v // 4 == u // 4
    } for t in range(num_frames)]
    assert groups(module, 2, num_frames) == expected


def test_pairs_and_layers_are_independent():
    """The official code mixes the frames of the videos of a batch."""
    module, queries = interaction(), torch.randn(2, 3, 6, 2, 8)
    with torch.no_grad():
        together = module(queries, None)
        assert together.shape == (2, 3, 1, 2, 8)
        for layer in range(2):
            for pair in range(3):
                alone = module(queries[layer, pair][None, None], None)
                torch.testing.assert_close(
                    together[layer, pair], alone[0, 0], atol=1e-5, rtol=0)


def test_initial_values():
    module = interaction(embed_dims=64, num_queries=5)
    module.init_weights()
    for name in ('frame_embed', 'video_embed', 'start'):
        weight = getattr(module, name).weight
        assert abs(weight.std().item() - 1) < 0.15, name
    linear = module.encoder[0].linear1.weight
    assert linear.abs().max() <= (6 / sum(linear.shape))**0.5


@pytest.mark.parametrize('changes,match', [
    (dict(window=3), 'cluster.window=3: expected an even'),
    (dict(window=0), 'cluster.window=0: expected an even'),
    (dict(decoder_layers=0), 'cluster.decoder_layers=0'),
])
def test_options_of_the_interaction(changes, match):
    with pytest.raises(ValueError, match=match):
        interaction(**changes)


def test_fusion_adds_or_multiplies():
    with pytest.raises(ValueError, match="'multiply', 'add'.*'divide'"):
        CrossModalFusion(interaction='divide')
    assert TemporalAggregation().vision.combine is torch.add


def test_classes_and_kernels_are_those_of_the_video():
    predictions = tensors(mutr_model(), make_batch(num_frames=3))
    assert predictions.logits.shape == (1, 1, 3, 5, 1)
    first = predictions.logits[:, :, :1]
    torch.testing.assert_close(predictions.logits,
                               first.expand_as(predictions.logits))
    assert predictions.queries[:, :, 0].equal(predictions.queries[:, :, 1])
    assert not predictions.boxes[:, :, 0].equal(predictions.boxes[:, :, 1])


def test_inference_uses_the_heads_of_one_layer():
    """Queries are those of the last layer; boxes of the chosen one."""
    model = mutr_model().train()
    model.backbone.eval()  # norms use their running statistics
    batch = make_batch()
    train = tensors(model, batch)  # no dropout, windows shift as in testing
    for layer in (0, -1):
        model = mutr_model(inference_layer=layer)
        one = tensors(model, batch)
        torch.testing.assert_close(one.queries[0], train.queries[-1])
        torch.testing.assert_close(one.boxes[0], train.boxes[layer])
        torch.testing.assert_close(one.references[0], train.references[layer])
        expected = model.head.class_branches[layer](train.queries[-1])
        torch.testing.assert_close(one.logits[0], expected)
    with pytest.raises(ValueError, match='inference_layer=3.*3 layers'):
        mutr_model(inference_layer=3)
