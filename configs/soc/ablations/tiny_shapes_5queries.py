# SOC with five queries, so that the contrastive loss has negatives; the one
# query of tiny_shapes.py makes it zero.
#   bash tools/dist_train.sh configs/soc/ablations/tiny_shapes_5queries.py 2
_base_ = '../tiny_shapes.py'
model = dict(decoder=dict(num_queries=5))
