import torch

from mmrvos.utils import read_checkpoint


def test_keeps_weights_alone(tmp_path, tool):
    source, target = tmp_path / 'epoch_1.pth', tmp_path / 'out/model.pth'
    torch.save(
        dict(
            state_dict={'w': torch.ones(2)},
            ema_state_dict={'module.w': torch.zeros(2)},
            optimizer=dict(state={}),
            meta=dict(epoch=1)), source)
    tool('model_converters/publish_model.py', str(source), str(target))
    checkpoint = read_checkpoint(target)
    assert list(checkpoint) == ['state_dict']
    assert checkpoint['state_dict']['w'].tolist() == [1, 1]
