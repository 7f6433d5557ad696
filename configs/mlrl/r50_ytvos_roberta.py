# Words from a frozen RoBERTa in the place of embeddings from scratch.
_base_ = './r50_ytvos.py'
model = dict(
    text_encoder=dict(
        _delete_=True,
        type='HuggingFaceTextEncoder',
        name='roberta-base',
        out_channels=384,
        max_length=20,  # N in the paper
        frozen=True))
