# SAM 3 with the sentence as its prompt; a true stream. Frames keep their
# original size: the network resizes them itself.
model = dict(
    type='SAM3Segmentor',
    weights='facebook/sam3',
    choose='best',
    test_cfg=dict(window=16))
