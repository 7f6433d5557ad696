# Grounding DINO (tiny) and SAM 2.1 (tiny). Frames keep their original size:
# each network resizes them itself.
model = dict(
    type='GroundedSegmentor',
    detector=dict(
        type='HuggingFaceGrounder',
        weights='IDEA-Research/grounding-dino-tiny'),
    num_keys=5,
    test_cfg=dict(
        window=16,
        propagator=dict(
            type='SAM2Propagator', weights='facebook/sam2.1-hiera-tiny')))
