# SAMWISE on SAM 2 with Hiera-B+ and RoBERTa-base, both pretrained and frozen.
model = dict(
    type='SAMWISE',
    data_preprocessor=dict(type='RVOSDataPreprocessor'),
    sam2=dict(
        type='SAM2Network',
        arch='base-plus',
        image_size=1024,
        weights='facebook/sam2-hiera-base-plus'),
    text_encoder=dict(type='StagedTextEncoder', name='roberta-base'),
    adapter=dict(type='CrossModalAdapter'),
    memory_decision=dict(type='ConditionalMemoryEncoder'),
    head=dict(type='SAMWISEHead'),
    # One sentence at a time, as in the official inference: a window of 8
    # frames of 1024 pixels needs about 1 GB per sentence.
    test_cfg=dict(window=8, chunks=dict(pairs=8)))
